# @TEST-DOC: What is too old is not raised, what is new is, once; a repeat is suppressed.
#
# @TEST-EXEC: grep '^#' $FILES/notice.log >findings.log
# @TEST-EXEC: grep -v '^#' $FILES/notice.log | sed -n 1p >>findings.log
# @TEST-EXEC: grep -v '^#' $FILES/notice.log | sed -n 2p | sed "s/^[0-9]*/$(date +%s)/" >recent
# @TEST-EXEC: cat recent recent >>findings.log
# @TEST-EXEC: sed "s/^\([0-9]*\)\.[0-9]*/\1.700000/" recent >>findings.log
# @TEST-EXEC: zeek -b $PACKAGE %INPUT >output
# @TEST-EXEC: btest-diff output

redef exit_only_after_terminate = T;
redef ZeekAnalyzer::findings_file = "findings.log";

event Notice::log_notice(rec: Notice::Info)
	{
	print "notice", rec$note, rec$src;
	}

event Notice::suppressed(n: Notice::Info)
	{
	print "suppressed", n$note, n$src;
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
