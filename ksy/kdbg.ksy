meta:
  id: kdbg
  title: KDDEBUGGER_DATA64
  endian: le
  imports:
    - u64
doc: |
  The debugger's table of kernel variables, with the same offsets in 32-bit and 64-bit kernels. Nearly
  every 64-bit field is the address of a variable, not its value, and is sign-extended in 32-bit kernels.
  Older kernels have a shorter block: src/kernel/kdbg.ts fills it up with zeros, and zero means absent.
seq:
  - id: list
    size: 16
    doc: List, a LIST_ENTRY of the kernel's own pointer size
  - id: owner_tag
    contents: KDBG
    doc: OwnerTag
  - id: size
    type: u4
    doc: Size, in bytes
  - id: kern_base
    type: u64
    doc: KernBase, the value
  - id: breakpoint_with_status
    type: u64
    doc: BreakpointWithStatus, code
  - id: saved_context
    type: u64
    doc: SavedContext
  - id: th_callback_stack
    type: u2
    doc: ThCallbackStack
  - id: next_callback
    type: u2
    doc: NextCallback
  - id: frame_pointer
    type: u2
    doc: FramePointer
  - id: pae_enabled
    type: u2
    doc: PaeEnabled, in bit 0
  - id: ki_call_user_mode
    type: u64
    doc: KiCallUserMode
  - id: ke_user_callback_dispatcher
    type: u64
    doc: KeUserCallbackDispatcher
  - id: ps_loaded_module_list
    type: u64
    doc: PsLoadedModuleList
  - id: ps_active_process_head
    type: u64
    doc: PsActiveProcessHead
  - id: psp_cid_table
    type: u64
    doc: PspCidTable
  - id: exp_system_resources_list
    type: u64
    doc: ExpSystemResourcesList
  - id: exp_paged_pool_descriptor
    type: u64
    doc: ExpPagedPoolDescriptor
  - id: exp_number_of_paged_pools
    type: u64
    doc: ExpNumberOfPagedPools
  - id: ke_time_increment
    type: u64
    doc: KeTimeIncrement
  - id: ke_bug_check_callback_list_head
    type: u64
    doc: KeBugCheckCallbackListHead
  - id: ki_bugcheck_data
    type: u64
    doc: KiBugcheckData
  - id: iop_error_log_list_head
    type: u64
    doc: IopErrorLogListHead
  - id: obp_root_directory_object
    type: u64
    doc: ObpRootDirectoryObject
  - id: obp_type_object_type
    type: u64
    doc: ObpTypeObjectType
  - id: mm_system_cache_start
    type: u64
    doc: MmSystemCacheStart
  - id: mm_system_cache_end
    type: u64
    doc: MmSystemCacheEnd
  - id: mm_system_cache_ws
    type: u64
    doc: MmSystemCacheWs
  - id: mm_pfn_database
    type: u64
    doc: MmPfnDatabase
  - id: mm_system_ptes_start
    type: u64
    doc: MmSystemPtesStart
  - id: mm_system_ptes_end
    type: u64
    doc: MmSystemPtesEnd
  - id: mm_subsection_base
    type: u64
    doc: MmSubsectionBase
  - id: mm_number_of_paging_files
    type: u64
    doc: MmNumberOfPagingFiles
  - id: mm_lowest_physical_page
    type: u64
    doc: MmLowestPhysicalPage
  - id: mm_highest_physical_page
    type: u64
    doc: MmHighestPhysicalPage
  - id: mm_number_of_physical_pages
    type: u64
    doc: MmNumberOfPhysicalPages
  - id: mm_maximum_non_paged_pool_in_bytes
    type: u64
    doc: MmMaximumNonPagedPoolInBytes
  - id: mm_non_paged_system_start
    type: u64
    doc: MmNonPagedSystemStart
  - id: mm_non_paged_pool_start
    type: u64
    doc: MmNonPagedPoolStart
  - id: mm_non_paged_pool_end
    type: u64
    doc: MmNonPagedPoolEnd
  - id: mm_paged_pool_start
    type: u64
    doc: MmPagedPoolStart
  - id: mm_paged_pool_end
    type: u64
    doc: MmPagedPoolEnd
  - id: mm_paged_pool_information
    type: u64
    doc: MmPagedPoolInformation
  - id: mm_page_size
    type: u64
    doc: MmPageSize, the value in bytes
  - id: mm_size_of_paged_pool_in_bytes
    type: u64
    doc: MmSizeOfPagedPoolInBytes
  - id: mm_total_commit_limit
    type: u64
    doc: MmTotalCommitLimit
  - id: mm_total_committed_pages
    type: u64
    doc: MmTotalCommittedPages
  - id: mm_shared_commit
    type: u64
    doc: MmSharedCommit
  - id: mm_driver_commit
    type: u64
    doc: MmDriverCommit
  - id: mm_process_commit
    type: u64
    doc: MmProcessCommit
  - id: mm_paged_pool_commit
    type: u64
    doc: MmPagedPoolCommit
  - id: mm_extended_commit
    type: u64
    doc: MmExtendedCommit
  - id: mm_zeroed_page_list_head
    type: u64
    doc: MmZeroedPageListHead
  - id: mm_free_page_list_head
    type: u64
    doc: MmFreePageListHead
  - id: mm_standby_page_list_head
    type: u64
    doc: MmStandbyPageListHead
  - id: mm_modified_page_list_head
    type: u64
    doc: MmModifiedPageListHead
  - id: mm_modified_no_write_page_list_head
    type: u64
    doc: MmModifiedNoWritePageListHead
  - id: mm_available_pages
    type: u64
    doc: MmAvailablePages
  - id: mm_resident_available_pages
    type: u64
    doc: MmResidentAvailablePages
  - id: pool_track_table
    type: u64
    doc: PoolTrackTable
  - id: non_paged_pool_descriptor
    type: u64
    doc: NonPagedPoolDescriptor
  - id: mm_highest_user_address
    type: u64
    doc: MmHighestUserAddress
  - id: mm_system_range_start
    type: u64
    doc: MmSystemRangeStart
  - id: mm_user_probe_address
    type: u64
    doc: MmUserProbeAddress
  - id: kd_print_circular_buffer
    type: u64
    doc: KdPrintCircularBuffer
  - id: kd_print_circular_buffer_end
    type: u64
    doc: KdPrintCircularBufferEnd
  - id: kd_print_write_pointer
    type: u64
    doc: KdPrintWritePointer
  - id: kd_print_rollover_count
    type: u64
    doc: KdPrintRolloverCount
  - id: mm_loaded_user_image_list
    type: u64
    doc: MmLoadedUserImageList
  - id: nt_build_lab
    type: u64
    doc: NtBuildLab, ASCII text
  - id: ki_normal_system_call
    type: u64
    doc: KiNormalSystemCall
  - id: ki_processor_block
    type: u64
    doc: KiProcessorBlock, an array of pointers to KPRCB
  - id: mm_unloaded_drivers
    type: u64
    doc: MmUnloadedDrivers
  - id: mm_last_unloaded_driver
    type: u64
    doc: MmLastUnloadedDriver
  - id: mm_triage_action_taken
    type: u64
    doc: MmTriageActionTaken
  - id: mm_special_pool_tag
    type: u64
    doc: MmSpecialPoolTag
  - id: kernel_verifier
    type: u64
    doc: KernelVerifier
  - id: mm_verifier_data
    type: u64
    doc: MmVerifierData
  - id: mm_allocated_non_paged_pool
    type: u64
    doc: MmAllocatedNonPagedPool
  - id: mm_peak_commitment
    type: u64
    doc: MmPeakCommitment
  - id: mm_total_commit_limit_maximum
    type: u64
    doc: MmTotalCommitLimitMaximum
  - id: cm_nt_csd_version
    type: u64
    doc: CmNtCSDVersion
  - id: mm_physical_memory_block
    type: u64
    doc: MmPhysicalMemoryBlock
  - id: mm_session_base
    type: u64
    doc: MmSessionBase
  - id: mm_session_size
    type: u64
    doc: MmSessionSize
  - id: mm_system_parent_table_page
    type: u64
    doc: MmSystemParentTablePage
  - id: mm_virtual_translation_base
    type: u64
    doc: MmVirtualTranslationBase
  - id: offset_k_thread_next_processor
    type: u2
    doc: OffsetKThreadNextProcessor, in bytes as all offsets here
  - id: offset_k_thread_teb
    type: u2
    doc: OffsetKThreadTeb
  - id: offset_k_thread_kernel_stack
    type: u2
    doc: OffsetKThreadKernelStack
  - id: offset_k_thread_initial_stack
    type: u2
    doc: OffsetKThreadInitialStack
  - id: offset_k_thread_apc_process
    type: u2
    doc: OffsetKThreadApcProcess
  - id: offset_k_thread_state
    type: u2
    doc: OffsetKThreadState
  - id: offset_k_thread_b_store
    type: u2
    doc: OffsetKThreadBStore
  - id: offset_k_thread_b_store_limit
    type: u2
    doc: OffsetKThreadBStoreLimit
  - id: size_e_process
    type: u2
    doc: SizeEProcess
  - id: offset_eprocess_peb
    type: u2
    doc: OffsetEprocessPeb
  - id: offset_eprocess_parent_cid
    type: u2
    doc: OffsetEprocessParentCID
  - id: offset_eprocess_directory_table_base
    type: u2
    doc: OffsetEprocessDirectoryTableBase
  - id: size_prcb
    type: u2
    doc: SizePrcb
  - id: offset_prcb_dpc_routine
    type: u2
    doc: OffsetPrcbDpcRoutine
  - id: offset_prcb_current_thread
    type: u2
    doc: OffsetPrcbCurrentThread
  - id: offset_prcb_mhz
    type: u2
    doc: OffsetPrcbMhz
  - id: offset_prcb_cpu_type
    type: u2
    doc: OffsetPrcbCpuType
  - id: offset_prcb_vendor_string
    type: u2
    doc: OffsetPrcbVendorString
  - id: offset_prcb_proc_state_context
    type: u2
    doc: OffsetPrcbProcStateContext
  - id: offset_prcb_number
    type: u2
    doc: OffsetPrcbNumber
  - id: size_e_thread
    type: u2
    doc: SizeEThread
  - size: 6
  - id: kd_print_circular_buffer_ptr
    type: u64
    doc: KdPrintCircularBufferPtr
  - id: kd_print_buffer_size
    type: u64
    doc: KdPrintBufferSize
  - id: ke_loader_block
    type: u64
    doc: KeLoaderBlock
  - id: size_pcr
    type: u2
    doc: SizePcr
  - id: offset_pcr_self_pcr
    type: u2
    doc: OffsetPcrSelfPcr
  - id: offset_pcr_current_prcb
    type: u2
    doc: OffsetPcrCurrentPrcb
  - id: offset_pcr_contained_prcb
    type: u2
    doc: OffsetPcrContainedPrcb
  - id: offset_pcr_initial_b_store
    type: u2
    doc: OffsetPcrInitialBStore
  - id: offset_pcr_b_store_limit
    type: u2
    doc: OffsetPcrBStoreLimit
  - id: offset_pcr_initial_stack
    type: u2
    doc: OffsetPcrInitialStack
  - id: offset_pcr_stack_limit
    type: u2
    doc: OffsetPcrStackLimit
  - id: offset_prcb_pcr_page
    type: u2
    doc: OffsetPrcbPcrPage
  - id: offset_prcb_proc_state_special_reg
    type: u2
    doc: OffsetPrcbProcStateSpecialReg
  - id: gdt_r0_code
    type: u2
    doc: GdtR0Code
  - id: gdt_r0_data
    type: u2
    doc: GdtR0Data
  - id: gdt_r0_pcr
    type: u2
    doc: GdtR0Pcr
  - id: gdt_r3_code
    type: u2
    doc: GdtR3Code
  - id: gdt_r3_data
    type: u2
    doc: GdtR3Data
  - id: gdt_r3_teb
    type: u2
    doc: GdtR3Teb
  - id: gdt_ldt
    type: u2
    doc: GdtLdt
  - id: gdt_tss
    type: u2
    doc: GdtTss
  - id: gdt64_r3_cm_code
    type: u2
    doc: Gdt64R3CmCode
  - id: gdt64_r3_cm_teb
    type: u2
    doc: Gdt64R3CmTeb
  - id: iop_num_triage_dump_data_blocks
    type: u64
    doc: IopNumTriageDumpDataBlocks
  - id: iop_triage_dump_data_blocks
    type: u64
    doc: IopTriageDumpDataBlocks
  - id: vf_crash_data_block
    type: u64
    doc: VfCrashDataBlock; from Vista on
  - id: mm_bad_pages_detected
    type: u64
    doc: MmBadPagesDetected
  - id: mm_zeroed_page_single_bit_errors_detected
    type: u64
    doc: MmZeroedPageSingleBitErrorsDetected
  - id: etwp_debugger_data
    type: u64
    doc: EtwpDebuggerData; from Windows 7 on
  - id: offset_prcb_context
    type: u2
    doc: OffsetPrcbContext
  - id: offset_prcb_max_breakpoints
    type: u2
    doc: OffsetPrcbMaxBreakpoints; from Windows 8 on
  - id: offset_prcb_max_watchpoints
    type: u2
    doc: OffsetPrcbMaxWatchpoints
  - size: 2
  - id: offset_k_thread_stack_limit
    type: u4
    doc: OffsetKThreadStackLimit
  - id: offset_k_thread_stack_base
    type: u4
    doc: OffsetKThreadStackBase
  - id: offset_k_thread_queue_list_entry
    type: u4
    doc: OffsetKThreadQueueListEntry
  - id: offset_e_thread_irp_list
    type: u4
    doc: OffsetEThreadIrpList
  - id: offset_prcb_idle_thread
    type: u2
    doc: OffsetPrcbIdleThread
  - id: offset_prcb_normal_dpc_state
    type: u2
    doc: OffsetPrcbNormalDpcState
  - id: offset_prcb_dpc_stack
    type: u2
    doc: OffsetPrcbDpcStack
  - id: offset_prcb_isr_stack
    type: u2
    doc: OffsetPrcbIsrStack
  - id: size_kdpc_stack_frame
    type: u2
    doc: SizeKDPC_STACK_FRAME
  - id: offset_k_pri_queue_thread_list_head
    type: u2
    doc: OffsetKPriQueueThreadListHead; from Windows 8.1 on
  - id: offset_k_thread_wait_reason
    type: u2
    doc: OffsetKThreadWaitReason
  - size: 2
  - id: pte_base
    type: u64
    doc: PteBase; from Windows 10 1607 on
  - id: retpoline_stub_function_table
    type: u64
    doc: RetpolineStubFunctionTable; from Windows 10 1809 on
  - id: retpoline_stub_function_table_size
    type: u4
    doc: RetpolineStubFunctionTableSize
  - id: retpoline_stub_offset
    type: u4
    doc: RetpolineStubOffset
  - id: retpoline_stub_size
    type: u4
    doc: RetpolineStubSize
  - id: offset_e_process_mm_hot_patch_context
    type: u2
    doc: OffsetEProcessMmHotPatchContext; from Windows 10 21H2 on
  - size: 2
  - id: offset_k_thread_shadow_stack_limit
    type: u4
    doc: OffsetKThreadShadowStackLimit; from Windows 11 24H2 on
  - id: offset_k_thread_shadow_stack_base
    type: u4
    doc: OffsetKThreadShadowStackBase
  - id: shadow_stack_enabled
    type: u64
    doc: ShadowStackEnabled
  - id: pointer_auth_mask
    type: u64
    doc: PointerAuthMask
  - id: offset_prcb_exception_stack
    type: u2
    doc: OffsetPrcbExceptionStack
  - size: 6
  - id: pointer_ignore_bits
    type: u64
    doc: PointerIgnoreBits
