# @TEST-DOC: The package loads, alone and with its intelligence, and says nothing.
#
# @TEST-EXEC: zeek -b $PACKAGE %INPUT >output 2>&1
# @TEST-EXEC: zeek -b $PACKAGE $PACKAGE/intel %INPUT >>output 2>&1
# @TEST-EXEC: btest-diff output

redef ZeekAnalyzer::read_findings = F;

event zeek_init()
	{
	print ZeekAnalyzer::Port_Scan, ZeekAnalyzer::max_age_at_start;
	}
