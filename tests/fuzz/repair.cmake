sb_fuzz_target(repair_resolve CORPUS repair_resolve LINK sb_repair)
