##! Gives the indicators that zeek-analyzer writes ("--intel-out") to the Intel framework, so that
##! this Zeek reports the next host that meets them as it happens. Not loaded by default.

@load base/frameworks/cluster
@load base/frameworks/input
@load base/frameworks/intel

module ZeekAnalyzer;

export {
	## The file of indicators that zeek-analyzer replaces. Of a cluster only the manager reads it,
	## and the Intel framework tells the others.
	const intel_file = "/var/lib/zeek-analyzer/intel.dat" &redef;

	## Raised for every indicator that is read.
	global indicator: event(description: Input::EventDescription,
	    change: Input::Event, item: Intel::Item);
}

event ZeekAnalyzer::indicator(description: Input::EventDescription,
    change: Input::Event, item: Intel::Item)
	{
	Intel::insert(item);
	}

# Not by Intel::read_files, which has its value before a site can redefine intel_file.
event zeek_init()
	{
	if ( intel_file == "" || Supervisor::is_supervisor() )
		return;

	if ( Cluster::is_enabled() && Cluster::local_node_type() != Cluster::MANAGER )
		return;

	# What is wrong is a warning in reporter.log, whatever the site's defaults.
	local lenient: table[string] of string;
	lenient["fail_on_invalid_lines"] = "F";
	lenient["fail_on_file_problem"] = "F";
	Input::add_event([$source=intel_file, $reader=Input::READER_ASCII,
	    $mode=Input::REREAD, $name="zeek-analyzer-intel",
	    $fields=Intel::Item, $ev=ZeekAnalyzer::indicator, $config=lenient]);
	}
