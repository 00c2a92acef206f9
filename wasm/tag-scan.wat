;; Finds which of many pool tags stand in a piece of memory, at any alignment, in one pass.
;;
;; A vector step keeps the places where four bytes in a row can be shown, or are where some key has one
;; that cannot; the top bit of the fourth is left out: it is the protected bit. What is left, about one place in twenty of code, is looked up in a
;; bitmap of hashes, and what that lets through in an open-addressed table of the keys.
;;
;; The caller lays out the memory: the bitmap of 2^18 bits at 0; the table of 2^n keys, 0 where empty;
;; a byte for each of its slots, which `scan` sets when the key was seen; and the bytes to be scanned.
(module
  (memory (export "memory") 8)

  ;; Where the table stands, 2^n - 1, 32 - n, and where its bytes stand.
  (global $table (export "table") (mut i32) (i32.const 0))
  (global $mask (export "mask") (mut i32) (i32.const 0))
  (global $shift (export "shift") (mut i32) (i32.const 0))
  (global $seen (export "seen") (mut i32) (i32.const 0))
  ;; All ones for a place of the four where some key has a byte that cannot be shown.
  (global $any0 (export "any0") (mut i64) (i64.const 0))
  (global $any1 (export "any1") (mut i64) (i64.const 0))
  (global $any2 (export "any2") (mut i64) (i64.const 0))
  (global $any3 (export "any3") (mut i64) (i64.const 0))

  ;; Marks the key at $at when the table has it; the bitmap let its hash through.
  (func $mark (param $key i32) (param $hash i32)
    (local $slot i32)
    (local $there i32)
    (local.set $slot (i32.shr_u (local.get $hash) (global.get $shift)))
    (loop $probe
      (local.set $there
        (i32.load (i32.add (global.get $table) (i32.shl (local.get $slot) (i32.const 2)))))
      (if (i32.eq (local.get $there) (local.get $key))
        (then
          (i32.store8 (i32.add (global.get $seen) (local.get $slot)) (i32.const 1))
          (return)))
      (if (i32.eqz (local.get $there)) (then (return)))
      (local.set $slot (i32.and (i32.add (local.get $slot) (i32.const 1)) (global.get $mask)))
      (br $probe)))

  ;; Every place from $at to $end - 4, one by one.
  (func $scanAll (export "scanAll") (param $at i32) (param $end i32)
    (local $last i32) (local $key i32) (local $hash i32)
    (local.set $last (i32.sub (local.get $end) (i32.const 4)))
    (block $done
      (loop $next
        (br_if $done (i32.gt_s (local.get $at) (local.get $last)))
        (local.set $key (i32.and (i32.load align=1 (local.get $at)) (i32.const 0x7fffffff)))
        (local.set $hash (i32.mul (local.get $key) (i32.const 0x9e3779b1)))
        (if (i32.and
              (i32.shr_u
                (i32.load8_u (i32.shr_u (local.get $hash) (i32.const 17)))
                (i32.and (i32.shr_u (local.get $hash) (i32.const 14)) (i32.const 7)))
              (i32.const 1))
          (then (call $mark (local.get $key) (local.get $hash))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))

  ;; As `scanAll`, faster, for keys most of whose characters can be shown: 0x20 to 0x7e. Nothing is called
  ;; in the loop but `mark`, because engines do not inline it.
  (func (export "scan") (param $at i32) (param $end i32)
    (local $first i64) (local $fourth i64)
    (local $before i64) (local $beforeFourth i64)
    (local $places i64)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128)
    (local $space v128) (local $range v128) (local $low7 v128)
    (local $block i32) (local $key i32) (local $hash i32)
    (local.set $block (local.get $at))
    (local.set $space (i8x16.splat (i32.const 0x20)))
    (local.set $range (i8x16.splat (i32.const 0x5e)))
    (local.set $low7 (i8x16.splat (i32.const 0x7f)))
    (block $done
      (loop $blocks
        (br_if $done (i32.gt_u (i32.add (local.get $block) (i32.const 64)) (local.get $end)))
        (local.set $v0 (v128.load align=1 (local.get $block)))
        (local.set $v1 (v128.load offset=16 align=1 (local.get $block)))
        (local.set $v2 (v128.load offset=32 align=1 (local.get $block)))
        (local.set $v3 (v128.load offset=48 align=1 (local.get $block)))
        (local.set $first
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u (i8x16.sub (local.get $v0) (local.get $space)) (local.get $range))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u (i8x16.sub (local.get $v1) (local.get $space)) (local.get $range)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u (i8x16.sub (local.get $v2) (local.get $space)) (local.get $range)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u (i8x16.sub (local.get $v3) (local.get $space)) (local.get $range)))) (i64.const 48)))))
        (local.set $fourth
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u (i8x16.sub (v128.and (local.get $v0) (local.get $low7)) (local.get $space)) (local.get $range))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u (i8x16.sub (v128.and (local.get $v1) (local.get $low7)) (local.get $space)) (local.get $range)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u (i8x16.sub (v128.and (local.get $v2) (local.get $low7)) (local.get $space)) (local.get $range)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u (i8x16.sub (v128.and (local.get $v3) (local.get $low7)) (local.get $space)) (local.get $range)))) (i64.const 48)))))
        ;; places of the block before: their last bytes may stand in this one
        (local.set $places
          (i64.and
            (i64.and
              (i64.or (local.get $before) (global.get $any0))
              (i64.or
                (i64.or (i64.shr_u (local.get $before) (i64.const 1)) (i64.shl (local.get $first) (i64.const 63)))
                (global.get $any1)))
            (i64.and
              (i64.or
                (i64.or (i64.shr_u (local.get $before) (i64.const 2)) (i64.shl (local.get $first) (i64.const 62)))
                (global.get $any2))
              (i64.or
                (i64.or
                  (i64.shr_u (local.get $beforeFourth) (i64.const 3))
                  (i64.shl (local.get $fourth) (i64.const 61)))
                (global.get $any3)))))
        ;; before the first block there is none
        (if (i32.eq (local.get $block) (local.get $at)) (then (local.set $places (i64.const 0))))
        (block $looked
          (loop $look
            (br_if $looked (i64.eqz (local.get $places)))
            (local.set $key
              (i32.and
                (i32.load align=1
                  (i32.sub
                    (i32.add (local.get $block) (i32.wrap_i64 (i64.ctz (local.get $places))))
                    (i32.const 64)))
                (i32.const 0x7fffffff)))
            (local.set $hash (i32.mul (local.get $key) (i32.const 0x9e3779b1)))
            (if (i32.and
                  (i32.shr_u
                    (i32.load8_u (i32.shr_u (local.get $hash) (i32.const 17)))
                    (i32.and (i32.shr_u (local.get $hash) (i32.const 14)) (i32.const 7)))
                  (i32.const 1))
              (then (call $mark (local.get $key) (local.get $hash))))
            (local.set $places (i64.and (local.get $places) (i64.sub (local.get $places) (i64.const 1))))
            (br $look)))
        (local.set $before (local.get $first))
        (local.set $beforeFourth (local.get $fourth))
        (local.set $block (i32.add (local.get $block) (i32.const 64)))
        (br $blocks)))
    ;; the last whole block was not looked at yet
    (if (i32.gt_u (local.get $block) (local.get $at))
      (then (local.set $block (i32.sub (local.get $block) (i32.const 64)))))
    (call $scanAll (local.get $block) (local.get $end))))
