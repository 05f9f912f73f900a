# @TEST-DOC: Indicators reach the Intel framework.
#
# @TEST-EXEC: cp $FILES/intel.dat indicators.dat
# @TEST-EXEC: zeek -b $PACKAGE $PACKAGE/intel %INPUT >output
# @TEST-EXEC: btest-diff output

redef exit_only_after_terminate = T;
redef ZeekAnalyzer::read_findings = F;
redef ZeekAnalyzer::intel_file = "indicators.dat";

global indicators = 0;

event ZeekAnalyzer::indicator(description: Input::EventDescription,
    change: Input::Event, item: Intel::Item)
	{
	print item$indicator, item$indicator_type, item$meta$source;
	print item$meta$desc;

	indicators += 1;
	if ( indicators == 2 )
		terminate();
	}

event late()
	{
	terminate();
	}

event zeek_init()
	{
	schedule 20secs { late() };
	}
