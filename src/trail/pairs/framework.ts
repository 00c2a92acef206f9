import type { Acquirer, Duty } from "./pair.ts";
import { by, group, isSet, onto, out, RETURNED, type Row } from "./rows.ts";

const DELETE = by(2, "WdfObjectDelete");
const PARENT: readonly Duty[] = [{ keeper: "parent" }];

/** Made for a device, a queue or a target, which deletes it when it goes itself. */
const owned = (name: string, count: number, argument: number, header: string): Row => [
  name,
  count,
  out(argument),
  header,
  "",
  { duties: PARENT },
];

/** WDF_OBJECT_ATTRIBUTES.ParentObject. */
const PARENT_OBJECT = { 4: 0x14, 8: 0x20 } as const;

/**
 * A child of the driver object, where its attributes name no other parent: what is made for each request or
 * device without attributes stays until the driver is unloaded.
 */
const free = (
  name: string,
  count: number,
  attributes: number,
  argument: number,
  header: string,
  tag = "",
): Row => [
  name,
  count,
  out(argument),
  header,
  tag,
  {
    duties: [
      {
        keeper: "parent",
        when: [isSet(attributes), { argument: attributes, at: PARENT_OBJECT, is: "nonzero" }],
      },
    ],
  },
];

/**
 * The framework's objects (KMDF); the first argument is the framework's globals, and counts. Their tags are the
 * driver's own.
 *
 * @see Windows driver documentation, "Framework Object Life Cycle"
 */
export const FRAMEWORK: readonly Acquirer[] = [
  ...group({ fails: "status", releases: DELETE, what: "object" }, [
    free("WdfObjectCreate", 3, 2, 3, "wdfobject.h"),
    free("WdfMemoryCreate", 7, 2, 6, "wdfmemory.h"),
    free("WdfMemoryCreatePreallocated", 5, 2, 5, "wdfmemory.h"),
    owned("WdfMemoryCreateFromLookaside", 3, 3, "wdfmemory.h"),
    free("WdfLookasideListCreate", 7, 2, 7, "wdfmemory.h"),
    free("WdfCollectionCreate", 3, 2, 3, "wdfcollection.h"),
    free("WdfSpinLockCreate", 3, 2, 3, "wdfsync.h"),
    free("WdfWaitLockCreate", 3, 2, 3, "wdfsync.h"),
    free("WdfStringCreate", 4, 3, 4, "wdfstring.h"),
    free("WdfRequestCreate", 4, 2, 4, "wdfrequest.h"),
    free("WdfRequestCreateFromIrp", 5, 2, 5, "wdfrequest.h"),
    free("WdfDeviceAllocAndQueryProperty", 6, 5, 6, "wdfdevice.h"),
    free("WdfDeviceAllocAndQueryPropertyEx", 7, 5, 6, "wdfdevice.h"),
    free("WdfDeviceAllocAndQueryInterfaceProperty", 7, 5, 6, "wdfdevice.h"),
    free("WdfFdoInitAllocAndQueryProperty", 6, 5, 6, "wdffdo.h"),
    free("WdfFdoInitAllocAndQueryPropertyEx", 7, 5, 6, "wdffdo.h"),
    free("WdfIoTargetAllocAndQueryTargetProperty", 6, 5, 6, "wdfiotarget.h"),
    free("WdfUsbTargetDeviceAllocAndQueryString", 7, 3, 4, "wdfusb.h"),
    // Their attributes must name a parent.
    owned("WdfTimerCreate", 4, 4, "wdftimer.h"),
    owned("WdfDpcCreate", 4, 4, "wdfdpc.h"),
    owned("WdfWorkItemCreate", 4, 4, "wdfworkitem.h"),
    owned("WdfDeviceCreate", 4, 4, "wdfdevice.h"),
    owned("WdfIoQueueCreate", 5, 5, "wdfio.h"),
    owned("WdfIoTargetCreate", 4, 4, "wdfiotarget.h"),
    owned("WdfInterruptCreate", 5, 5, "wdfinterrupt.h"),
    owned("WdfChildListCreate", 5, 5, "wdfchildlist.h"),
    owned("WdfDmaEnablerCreate", 5, 5, "wdfdmaenabler.h"),
    owned("WdfDmaTransactionCreate", 4, 4, "wdfdmatransaction.h"),
    owned("WdfCommonBufferCreate", 5, 5, "wdfcommonbuffer.h"),
    owned("WdfCommonBufferCreateWithConfig", 6, 6, "wdfcommonbuffer.h"),
    owned("WdfIoResourceListCreate", 4, 4, "wdfresource.h"),
    owned("WdfUsbTargetDeviceCreate", 4, 4, "wdfusb.h"),
    owned("WdfUsbTargetDeviceCreateWithParameters", 5, 5, "wdfusb.h"),
    free("WdfUsbTargetDeviceCreateUrb", 5, 3, 4, "wdfusb.h"),
    free("WdfUsbTargetDeviceCreateIsochUrb", 6, 3, 5, "wdfusb.h"),
    ["WdfDeviceMiniportCreate", 7, out(7), "wdfminiport.h"],
  ]),
  // A key of the framework holds a handle to the registry key.
  ...group({ fails: "status", releases: [...by(2, "WdfRegistryClose"), ...DELETE], what: "handle" }, [
    free("WdfRegistryOpenKey", 6, 5, 6, "wdfregistry.h", "Key "),
    free("WdfRegistryCreateKey", 8, 7, 8, "wdfregistry.h", "Key "),
    free("WdfDeviceOpenRegistryKey", 6, 5, 6, "wdfdevice.h", "Key "),
    free("WdfDeviceOpenDevicemapKey", 6, 5, 6, "wdfdevice.h", "Key "),
    free("WdfDriverOpenParametersRegistryKey", 5, 4, 5, "wdfdriver.h", "Key "),
    free("WdfDriverOpenPersistentStateRegistryKey", 5, 4, 5, "wdfdriver.h", "Key "),
    free("WdfFdoInitOpenRegistryKey", 6, 5, 6, "wdffdo.h", "Key "),
  ]),
  ...group({ fails: "never", releases: by(2, "WdfObjectDereferenceActual"), what: "reference" }, [
    ["WdfObjectReferenceActual", 5, onto(2), "wdfobject.h"],
    // A request that was found, and not yet taken out of its queue, is referenced.
    ["WdfIoQueueFindRequest", 6, out(6), "wdfio.h", "", { fails: "status" }],
  ]),
  ...group({ fails: "null", releases: by(2, "WdfDeviceInitFree"), what: "memory" }, [
    ["WdfControlDeviceInitAllocate", 3, RETURNED, "wdfcontrol.h"],
    ["WdfPdoInitAllocate", 2, RETURNED, "wdfpdo.h"],
  ]),
];
