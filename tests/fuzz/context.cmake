sb_fuzz_target(context CORPUS context LINK sb_context)
