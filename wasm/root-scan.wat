;; Finds the next page of memory that can hold a root table: one of whose words in the upper half names the page itself,
;; as an entry of a table that maps itself does, or that has four entries in a row as PAE's root has them. Both are first
;; looks, that let some pages through that hold no root: who calls looks again.
;;
;; The caller puts the pages at 0.
(module
  (memory (export "memory") 16)

  ;; From page $at up to page $end, where page 0 has the number $pfn; $end when there is none.
  (func (export "next") (param $at i32) (param $end i32) (param $pfn i32) (result i32)
    (local $p i32) (local $half i32) (local $stop i32)
    (local $v0 v128) (local $v1 v128)
    (local $found v128)
    (local $itself v128) (local $itselfMask v128)
    (local $pae v128) (local $paeMask v128)
    ;; the page's number stands above 12 bits of flags, of which the first says that the entry counts
    (local.set $itselfMask (i32x4.splat (i32.const 0xfffff001)))
    ;; of an entry of PAE's root, bits 1, 2, 5 to 8 and those over the physical address are reserved
    (local.set $paeMask (i64x2.splat (i64.const 0xfffffff0000001e7)))
    (local.set $pae (i64x2.splat (i64.const 1)))
    (block $done
      (loop $page
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $p (i32.shl (local.get $at) (i32.const 12)))
        (local.set $half (i32.add (local.get $p) (i32.const 2048)))
        (local.set $stop (i32.add (local.get $p) (i32.const 4096)))
        (local.set $itself
          (i32x4.splat
            (i32.or
              (i32.shl (i32.add (local.get $pfn) (local.get $at)) (i32.const 12))
              (i32.const 1))))
        (local.set $found (v128.const i64x2 0 0))
        (loop $lower
          (local.set $found
            (v128.or
              (local.get $found)
              (v128.and
                (i64x2.eq (v128.and (v128.load (local.get $p)) (local.get $paeMask)) (local.get $pae))
                (i64x2.eq (v128.and (v128.load offset=16 (local.get $p)) (local.get $paeMask)) (local.get $pae)))))
          (local.set $p (i32.add (local.get $p) (i32.const 32)))
          (br_if $lower (i32.lt_u (local.get $p) (local.get $half))))
        (loop $upper
          (local.set $v0 (v128.load (local.get $p)))
          (local.set $v1 (v128.load offset=16 (local.get $p)))
          (local.set $found
            (v128.or
              (v128.or
                (local.get $found)
                (v128.and
                  (i64x2.eq (v128.and (local.get $v0) (local.get $paeMask)) (local.get $pae))
                  (i64x2.eq (v128.and (local.get $v1) (local.get $paeMask)) (local.get $pae))))
              (v128.or
                (i32x4.eq (v128.and (local.get $v0) (local.get $itselfMask)) (local.get $itself))
                (i32x4.eq (v128.and (local.get $v1) (local.get $itselfMask)) (local.get $itself)))))
          (local.set $p (i32.add (local.get $p) (i32.const 32)))
          (br_if $upper (i32.lt_u (local.get $p) (local.get $stop))))
        (br_if $done (v128.any_true (local.get $found)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $page)))
    (local.get $at)))
