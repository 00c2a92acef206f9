/**
 * The framework's functions in the order of the table that drivers call them through: what they have in common at the
 * start of their names, and the rest of each. The table only ever grew at its end, so that the places hold for all
 * versions of KMDF 1; these are the ones up to 1.15.
 *
 * @see KMDF, wdffuncenum.h, enum WDFFUNCENUM
 */
const GROUPS: readonly (readonly [start: string, rest: string])[] = [
  [
    "WdfChildList",
    `Create GetDevice RetrievePdo RetrieveAddressDescription BeginScan EndScan BeginIteration RetrieveNextDevice
     EndIteration AddOrUpdateChildDescriptionAsPresent UpdateChildDescriptionAsMissing
     UpdateAllChildDescriptionsAsPresent RequestChildEject`,
  ],
  ["WdfCollection", "Create GetCount Add Remove RemoveItem GetItem GetFirstItem GetLastItem"],
  ["WdfCommonBuffer", "Create GetAlignedVirtualAddress GetAlignedLogicalAddress GetLength"],
  ["WdfControl", "DeviceInitAllocate DeviceInitSetShutdownNotification FinishInitializing"],
  ["WdfDevice", "GetDeviceState SetDeviceState"],
  ["Wdf", "WdmDeviceGetWdfDeviceHandle"],
  [
    "WdfDevice",
    `WdmGetDeviceObject WdmGetAttachedDevice WdmGetPhysicalDevice WdmDispatchPreprocessedIrp
     AddDependentUsageDeviceObject AddRemovalRelationsPhysicalDevice RemoveRemovalRelationsPhysicalDevice
     ClearRemovalRelationsDevices GetDriver RetrieveDeviceName AssignMofResourceName GetIoTarget GetDevicePnpState
     GetDevicePowerState GetDevicePowerPolicyState AssignS0IdleSettings AssignSxWakeSettings OpenRegistryKey
     SetSpecialFileSupport SetCharacteristics GetCharacteristics GetAlignmentRequirement SetAlignmentRequirement
     InitFree InitSetPnpPowerEventCallbacks InitSetPowerPolicyEventCallbacks InitSetPowerPolicyOwnership
     InitRegisterPnpStateChangeCallback InitRegisterPowerStateChangeCallback
     InitRegisterPowerPolicyStateChangeCallback InitSetIoType InitSetExclusive InitSetPowerNotPageable
     InitSetPowerPageable InitSetPowerInrush InitSetDeviceType InitAssignName InitAssignSDDLString
     InitSetDeviceClass InitSetCharacteristics InitSetFileObjectConfig InitSetRequestAttributes
     InitAssignWdmIrpPreprocessCallback InitSetIoInCallerContextCallback Create SetStaticStopRemove
     CreateDeviceInterface SetDeviceInterfaceState RetrieveDeviceInterfaceString CreateSymbolicLink QueryProperty
     AllocAndQueryProperty SetPnpCapabilities SetPowerCapabilities SetBusInformationForChildren IndicateWakeStatus
     SetFailed StopIdleNoTrack ResumeIdleNoTrack GetFileObject EnqueueRequest GetDefaultQueue
     ConfigureRequestDispatching`,
  ],
  [
    "WdfDmaEnabler",
    "Create GetMaximumLength GetMaximumScatterGatherElements SetMaximumScatterGatherElements",
  ],
  [
    "WdfDmaTransaction",
    `Create Initialize InitializeUsingRequest Execute Release DmaCompleted DmaCompletedWithLength DmaCompletedFinal
     GetBytesTransferred SetMaximumLength GetRequest GetCurrentDmaTransferLength GetDevice`,
  ],
  ["WdfDpc", "Create Enqueue Cancel GetParentObject WdmGetDpc"],
  ["WdfDriver", "Create GetRegistryPath WdmGetDriverObject OpenParametersRegistryKey"],
  ["Wdf", "WdmDriverGetWdfDriverHandle"],
  ["WdfDriver", "RegisterTraceInfo RetrieveVersionString IsVersionAvailable"],
  [
    "WdfFdo",
    `InitWdmGetPhysicalDevice InitOpenRegistryKey InitQueryProperty InitAllocAndQueryProperty InitSetEventCallbacks
     InitSetFilter InitSetDefaultChildListConfig QueryForInterface GetDefaultChildList AddStaticChild
     LockStaticChildListForIteration RetrieveNextStaticChild UnlockStaticChildListFromIteration`,
  ],
  ["WdfFileObject", "GetFileName GetFlags GetDevice WdmGetFileObject"],
  [
    "WdfInterrupt",
    `Create QueueDpcForIsr Synchronize AcquireLock ReleaseLock Enable Disable WdmGetInterrupt GetInfo SetPolicy
     GetDevice`,
  ],
  [
    "WdfIoQueue",
    `Create GetState Start Stop StopSynchronously GetDevice RetrieveNextRequest RetrieveRequestByFileObject
     FindRequest RetrieveFoundRequest DrainSynchronously Drain PurgeSynchronously Purge ReadyNotify`,
  ],
  [
    "WdfIoTarget",
    `Create Open CloseForQueryRemove Close Start Stop GetState GetDevice QueryTargetProperty
     AllocAndQueryTargetProperty QueryForInterface WdmGetTargetDeviceObject WdmGetTargetPhysicalDevice
     WdmGetTargetFileObject WdmGetTargetFileHandle SendReadSynchronously FormatRequestForRead
     SendWriteSynchronously FormatRequestForWrite SendIoctlSynchronously FormatRequestForIoctl
     SendInternalIoctlSynchronously FormatRequestForInternalIoctl SendInternalIoctlOthersSynchronously
     FormatRequestForInternalIoctlOthers`,
  ],
  ["WdfMemory", "Create CreatePreallocated GetBuffer AssignBuffer CopyToBuffer CopyFromBuffer"],
  ["Wdf", "LookasideListCreate MemoryCreateFromLookaside DeviceMiniportCreate DriverMiniportUnload"],
  [
    "WdfObject",
    `GetTypedContextWorker AllocateContext ContextGetObject ReferenceActual DereferenceActual Create Delete Query`,
  ],
  [
    "WdfPdo",
    `InitAllocate InitSetEventCallbacks InitAssignDeviceID InitAssignInstanceID InitAddHardwareID
     InitAddCompatibleID InitAddDeviceText InitSetDefaultLocale InitAssignRawDevice MarkMissing RequestEject
     GetParent RetrieveIdentificationDescription RetrieveAddressDescription UpdateAddressDescription
     AddEjectionRelationsPhysicalDevice RemoveEjectionRelationsPhysicalDevice ClearEjectionRelationsDevices`,
  ],
  ["WdfDevice", "AddQueryInterface"],
  [
    "WdfRegistry",
    `OpenKey CreateKey Close WdmGetHandle RemoveKey RemoveValue QueryValue QueryMemory QueryMultiString
     QueryUnicodeString QueryString QueryULong AssignValue AssignMemory AssignMultiString AssignUnicodeString
     AssignString AssignULong`,
  ],
  [
    "WdfRequest",
    `Create CreateFromIrp Reuse ChangeTarget FormatRequestUsingCurrentType WdmFormatUsingStackLocation Send
     GetStatus MarkCancelable UnmarkCancelable IsCanceled CancelSentRequest IsFrom32BitProcess
     SetCompletionRoutine GetCompletionParams AllocateTimer Complete CompleteWithPriorityBoost
     CompleteWithInformation GetParameters RetrieveInputMemory RetrieveOutputMemory RetrieveInputBuffer
     RetrieveOutputBuffer RetrieveInputWdmMdl RetrieveOutputWdmMdl RetrieveUnsafeUserInputBuffer
     RetrieveUnsafeUserOutputBuffer SetInformation GetInformation GetFileObject ProbeAndLockUserBufferForRead
     ProbeAndLockUserBufferForWrite GetRequestorMode ForwardToIoQueue GetIoQueue Requeue StopAcknowledge
     WdmGetIrp`,
  ],
  [
    "WdfIoResourceRequirementsList",
    `SetSlotNumber SetInterfaceType AppendIoResList InsertIoResList GetCount GetIoResList Remove RemoveByIoResList`,
  ],
  [
    "WdfIoResourceList",
    `Create AppendDescriptor InsertDescriptor UpdateDescriptor GetCount GetDescriptor Remove RemoveByDescriptor`,
  ],
  ["WdfCmResourceList", "AppendDescriptor InsertDescriptor GetCount GetDescriptor Remove RemoveByDescriptor"],
  ["WdfString", "Create GetUnicodeString"],
  ["WdfObject", "AcquireLock ReleaseLock"],
  ["WdfWaitLock", "Create Acquire Release"],
  ["WdfSpinLock", "Create Acquire Release"],
  ["WdfTimer", "Create Start Stop GetParentObject"],
  [
    "WdfUsbTargetDevice",
    `Create RetrieveInformation GetDeviceDescriptor RetrieveConfigDescriptor QueryString AllocAndQueryString
     FormatRequestForString GetNumInterfaces SelectConfig WdmGetConfigurationHandle RetrieveCurrentFrameNumber
     SendControlTransferSynchronously FormatRequestForControlTransfer IsConnectedSynchronous
     ResetPortSynchronously CyclePortSynchronously FormatRequestForCyclePort SendUrbSynchronously
     FormatRequestForUrb`,
  ],
  [
    "WdfUsbTargetPipe",
    `GetInformation IsInEndpoint IsOutEndpoint GetType SetNoMaximumPacketSizeCheck WriteSynchronously
     FormatRequestForWrite ReadSynchronously FormatRequestForRead ConfigContinuousReader AbortSynchronously
     FormatRequestForAbort ResetSynchronously FormatRequestForReset SendUrbSynchronously FormatRequestForUrb`,
  ],
  [
    "WdfUsb",
    `InterfaceGetInterfaceNumber InterfaceGetNumEndpoints InterfaceGetDescriptor InterfaceSelectSetting
     InterfaceGetEndpointInformation TargetDeviceGetInterface InterfaceGetConfiguredSettingIndex
     InterfaceGetNumConfiguredPipes InterfaceGetConfiguredPipe TargetPipeWdmGetPipeHandle`,
  ],
  ["WdfVerifier", "DbgBreakPoint KeBugCheck"],
  [
    "WdfWmi",
    `ProviderCreate ProviderGetDevice ProviderIsEnabled ProviderGetTracingHandle InstanceCreate InstanceRegister
     InstanceDeregister InstanceGetDevice InstanceGetProvider InstanceFireEvent`,
  ],
  ["WdfWorkItem", "Create Enqueue GetParentObject Flush"],
  [
    "Wdf",
    `CommonBufferCreateWithConfig DmaEnablerGetFragmentLength DmaEnablerWdmGetDmaAdapter UsbInterfaceGetNumSettings
     DeviceRemoveDependentUsageDeviceObject DeviceGetSystemPowerAction InterruptSetExtendedPolicy
     IoQueueAssignForwardProgressPolicy PdoInitAssignContainerID PdoInitAllowForwardingRequestToParent
     RequestMarkCancelableEx RequestIsReserved RequestForwardToParentDeviceIoQueue CxDeviceInitAllocate
     CxDeviceInitAssignWdmIrpPreprocessCallback CxDeviceInitSetIoInCallerContextCallback
     CxDeviceInitSetRequestAttributes CxDeviceInitSetFileObjectConfig DeviceWdmDispatchIrp
     DeviceWdmDispatchIrpToIoQueue DeviceInitSetRemoveLockOptions DeviceConfigureWdmIrpDispatchCallback
     DmaEnablerConfigureSystemProfile`,
  ],
  [
    "WdfDmaTransaction",
    `InitializeUsingOffset GetTransferInfo SetChannelConfigurationCallback SetTransferCompleteCallback
     SetImmediateExecution AllocateResources SetDeviceAddressOffset FreeResources Cancel WdmGetTransferContext`,
  ],
  [
    "Wdf",
    `InterruptQueueWorkItemForIsr InterruptTryToAcquireLock IoQueueStopAndPurge IoQueueStopAndPurgeSynchronously
     IoTargetPurge UsbTargetDeviceCreateWithParameters UsbTargetDeviceQueryUsbCapability UsbTargetDeviceCreateUrb
     UsbTargetDeviceCreateIsochUrb DeviceWdmAssignPowerFrameworkSettings DmaTransactionStopSystemTransfer
     CxVerifierKeBugCheck InterruptReportActive InterruptReportInactive
     DeviceInitSetReleaseHardwareOrderOnFailure GetTriageInfo`,
  ],
  ["WdfDevice", "InitSetIoTypeEx QueryPropertyEx AllocAndQueryPropertyEx AssignProperty"],
  ["WdfFdo", "InitQueryPropertyEx InitAllocAndQueryPropertyEx"],
  ["WdfDevice", "StopIdleActual ResumeIdleActual GetSelfIoTarget InitAllowSelfIoTarget"],
  ["Wdf", "IoTargetSelfAssignDefaultIoQueue DeviceOpenDevicemapKey"],
];

let names: readonly string[] | undefined;

/** The function at a place in the framework's table; `undefined` past those that are known. */
export function wdfName(index: number): string | undefined {
  names ??= GROUPS.flatMap(([start, rest]) => rest.split(/\s+/).map((name) => start + name));
  return names[index];
}
