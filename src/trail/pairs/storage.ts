import type { Acquirer, Release } from "./pair.ts";
import { FREE } from "./releases.ts";
import { by, byAddress, group, inside, onto, out, RETURNED } from "./rows.ts";

const FREE_URB = by(2, "USBD_UrbFree");

/** STORPORT_FUNCTION_CODE: the first argument of the export behind the inline functions of storport.h. */
const extended = (code: number, argument: number): Release => ({
  name: "StorPortExtendedFunction",
  argument,
  when: [{ argument: 1, is: { equals: code } }],
});

/** Port drivers of disks (storport, classpnp) and buses (usbd, hidparse). Pool memory of storport is in memory.ts. */
export const STORAGE: readonly Acquirer[] = [
  ...group({ fails: "nonzero", releases: [extended(3, 3)], what: "memory" }, [
    [
      "StorPortExtendedFunction",
      5,
      out(5),
      "",
      "Mdl ",
      { source: "StorPortAllocateMdl (storport.h)", when: [{ argument: 1, is: { equals: 2 } }] },
    ],
  ]),
  ...group({ fails: "null", releases: by(2, "StorPortFreeRegistryBuffer"), what: "memory" }, [
    ["StorPortAllocateRegistryBuffer", 2, RETURNED, "storport.h"],
  ]),
  ...group({ fails: "status", releases: FREE, what: "memory" }, [
    ["ClassGetDescriptor", 3, out(3), "classpnp.h"],
  ]),
  ...group({ fails: "never", releases: by(1, "ClassDeleteSrbLookasideList"), what: "list-head" }, [
    ["ClassInitializeSrbLookasideList", 2, onto(1), "classpnp.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "IoDeleteDevice"), what: "registration" }, [
    ["ClassCreateDeviceObject", 5, out(5), "classpnp.h", "Devi"],
  ]),
  ...group({ fails: "null", releases: FREE, what: "memory" }, [
    ["USBD_CreateConfigurationRequestEx", 2, RETURNED, "usbdlib.h"],
    ["USBD_CreateConfigurationRequest", 2, RETURNED, "usbdlib.h"],
  ]),
  ...group({ fails: "status", releases: FREE_URB, what: "memory" }, [
    ["USBD_UrbAllocate", 2, out(2), "usbdlib.h"],
    ["USBD_IsochUrbAllocate", 3, out(3), "usbdlib.h"],
    ["USBD_SelectConfigUrbAllocateAndBuild", 4, out(4), "usbdlib.h"],
    ["USBD_SelectInterfaceUrbAllocateAndBuild", 4, out(4), "usbdlib.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "USBD_CloseHandle"), what: "registration" }, [
    ["USBD_CreateHandle", 5, out(5), "usbdlib.h", "", { tagArgument: 4 }],
  ]),
  ...group({ fails: "status", releases: byAddress(1, "HidP_FreeCollectionDescription"), what: "memory" }, [
    ["HidP_GetCollectionDescription", 4, inside(4), "hidpddi.h"],
  ]),
];
