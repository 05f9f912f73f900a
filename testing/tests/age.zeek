# @TEST-DOC: What is older than max_age is not raised, what is new is; a repeat is suppressed.
#
# @TEST-EXEC: grep '^#' $FILES/notice.log >findings.log
# @TEST-EXEC: grep -v '^#' $FILES/notice.log | sed -n 1p >>findings.log
# @TEST-EXEC: grep -v '^#' $FILES/notice.log | sed -n 2p | sed "s/^[0-9]*/$(date +%s)/" >>findings.log
# @TEST-EXEC: grep -v '^#' $FILES/notice.log | sed -n 2p | sed "s/^[0-9]*/$(date +%s)/" >>findings.log
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
