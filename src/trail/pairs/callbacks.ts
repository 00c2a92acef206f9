import type { Acquirer } from "./pair.ts";
import { by, byAddress, group, inside, onto, out, RETURNED } from "./rows.ts";

/** Registrations, timers and saved state: small blocks that live until the registration is undone. */
export const CALLBACKS: readonly Acquirer[] = [
  ...group({ fails: "null", releases: by(1, "ExDeleteTimer"), what: "object" }, [
    ["ExAllocateTimer", 3, RETURNED, "wdm.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "ExUnregisterCallback"), what: "registration" }, [
    ["ExRegisterCallback", 3, RETURNED, "wdm.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "ExFreeCacheAwareRundownProtection"), what: "memory" }, [
    ["ExAllocateCacheAwareRundownProtection", 2, RETURNED, "wdm.h", "", { tagArgument: 2 }],
  ]),
  ...group({ fails: "null", releases: by(1, "KeDeregisterNmiCallback"), what: "registration" }, [
    ["KeRegisterNmiCallback", 2, RETURNED, "wdm.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "KeDeregisterBoundCallback"), what: "registration" }, [
    ["KeRegisterBoundCallback", 1, RETURNED, "wdm.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "KeDeregisterProcessorChangeCallback"), what: "registration" }, [
    ["KeRegisterProcessorChangeCallback", 3, RETURNED, "wdm.h"],
  ]),
  ...group({ fails: "status", releases: byAddress(1, "KeRestoreExtendedProcessorState"), what: "memory" }, [
    ["KeSaveExtendedProcessorState", 2, inside(2), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: byAddress(1, "KeRestoreFloatingPointState"), what: "memory" }, [
    ["KeSaveFloatingPointState", 1, inside(1), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "CmUnRegisterCallback"), what: "registration" }, [
    ["CmRegisterCallback", 3, out(3), "wdm.h"],
    ["CmRegisterCallbackEx", 6, out(5), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "ObUnRegisterCallbacks"), what: "registration" }, [
    ["ObRegisterCallbacks", 2, out(2), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "EtwUnregister"), what: "registration" }, [
    ["EtwRegister", 4, out(4), "wdm.h", "EtwR"],
  ]),
  ...group({ fails: "status", releases: by(1, "PcwUnregister"), what: "registration" }, [
    ["PcwRegister", 2, out(1), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "PcwCloseInstance"), what: "object" }, [
    ["PcwCreateInstance", 5, out(1), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "PoDeletePowerRequest"), what: "object" }, [
    ["PoCreatePowerRequest", 3, out(1), "ntifs.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "PoUnregisterPowerSettingCallback"), what: "registration" }, [
    ["PoRegisterPowerSettingCallback", 5, out(5), "ntifs.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "PoUnregisterSystemState"), what: "registration" }, [
    ["PoRegisterSystemState", 2, RETURNED, "ntifs.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "PoFxUnregisterDevice"), what: "registration" }, [
    ["PoFxRegisterDevice", 3, out(3), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "PsFreeAffinityToken"), what: "memory" }, [
    ["PsAllocateAffinityToken", 1, out(1), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "PsUnregisterSiloMonitor"), what: "registration" }, [
    ["PsRegisterSiloMonitor", 2, out(2), "ntddk.h"],
  ]),
  ...group(
    {
      fails: "status",
      releases: by(1, "IoUnregisterPlugPlayNotificationEx", "IoUnregisterPlugPlayNotification"),
      what: "registration",
    },
    [["IoRegisterPlugPlayNotification", 7, out(7), "wdm.h"]],
  ),
  ...group({ fails: "status", releases: by(1, "IoUnregisterContainerNotification"), what: "registration" }, [
    ["IoRegisterContainerNotification", 5, out(5), "wdm.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "IoUnregisterShutdownNotification"), what: "registration" }, [
    ["IoRegisterShutdownNotification", 1, onto(1), "wdm.h"],
    ["IoRegisterLastChanceShutdownNotification", 1, onto(1), "wdm.h"],
  ]),
  ...group({ fails: "null", releases: by(1, "IoUnregisterBootDriverCallback"), what: "registration" }, [
    ["IoRegisterBootDriverCallback", 2, RETURNED, "ntddk.h"],
  ]),
  ...group(
    { fails: "status", releases: by(1, "SeUnregisterLogonSessionTerminatedRoutine"), what: "registration" },
    [["SeRegisterLogonSessionTerminatedRoutine", 1, onto(1), "ntifs.h"]],
  ),
  ...group({ fails: "status", releases: by(2, "IoUnregisterFsRegistrationChange"), what: "registration" }, [
    ["IoRegisterFsRegistrationChange", 2, onto(2), "ntifs.h"],
    ["IoRegisterFsRegistrationChangeEx", 2, onto(2), "ntifs.h"],
  ]),
];
