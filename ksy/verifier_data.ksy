meta:
  id: verifier_data
  title: MM_DRIVER_VERIFIER_DATA
  endian: le
  imports:
    - u64
doc: |
  What Driver Verifier counts over all drivers that it checks; nt's MmVerifierData. The head is the same
  from Windows XP on. The counts of the pools stand 0x40 bytes from the start, and 4 bytes further where
  Windows 11 has AllocationFreed before them; the bytes follow, aligned to their size.
types:
  head:
    seq:
      - id: level
        type: u4
        doc: Level, the flags that verifier.exe takes
      - id: raise_irqls
        type: u4
        doc: RaiseIrqls
      - id: acquire_spin_locks
        type: u4
        doc: AcquireSpinLocks
      - id: synchronize_executions
        type: u4
        doc: SynchronizeExecutions
      - id: allocations_attempted
        type: u4
        doc: AllocationsAttempted
      - id: allocations_succeeded
        type: u4
        doc: AllocationsSucceeded
      - id: allocations_succeeded_special_pool
        type: u4
        doc: AllocationsSucceededSpecialPool
      - id: allocations_with_no_tag
        type: u4
        doc: AllocationsWithNoTag
      - id: trim_requests
        type: u4
        doc: TrimRequests
      - id: trims
        type: u4
        doc: Trims
      - id: allocations_failed
        type: u4
        doc: AllocationsFailed
      - id: allocations_failed_deliberately
        type: u4
        doc: AllocationsFailedDeliberately
  pool_counts:
    seq:
      - id: current_paged
        type: u4
        doc: CurrentPagedPoolAllocations
      - id: current_non_paged
        type: u4
        doc: CurrentNonPagedPoolAllocations
      - id: peak_paged
        type: u4
        doc: PeakPagedPoolAllocations
      - id: peak_non_paged
        type: u4
        doc: PeakNonPagedPoolAllocations
  pool_bytes_32:
    seq:
      - id: paged
        type: u4
        doc: PagedBytes
      - id: non_paged
        type: u4
        doc: NonPagedBytes
      - id: peak_paged
        type: u4
        doc: PeakPagedBytes
      - id: peak_non_paged
        type: u4
        doc: PeakNonPagedBytes
  pool_bytes_64:
    seq:
      - id: paged
        type: u64
        doc: PagedBytes
      - id: non_paged
        type: u64
        doc: NonPagedBytes
      - id: peak_paged
        type: u64
        doc: PeakPagedBytes
      - id: peak_non_paged
        type: u64
        doc: PeakNonPagedBytes
