##! zeek-analyzer on a sensor: its notice types, its columns of notice.log, and
##! its findings as notices of this Zeek.
##!
##! What it found as intelligence is extra: @load zeek-analyzer/intel

@load ./types
@load ./columns
@load ./main
