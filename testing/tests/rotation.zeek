# @TEST-DOC: A file that is not there yet, grows, is rotated and begins anew is followed all along.
#
# @TEST-EXEC: btest-bg-run zeek "zeek -b $PACKAGE %INPUT"
# @TEST-EXEC: sleep 2
# @TEST-EXEC: grep '^#' $FILES/notice.log | grep -v '^#close' >header
# @TEST-EXEC: grep -v '^#' $FILES/notice.log >rows
# @TEST-EXEC: (cat header; sed -n 1p rows) >findings.log
# @TEST-EXEC: $SCRIPTS/wait-for-lines zeek/raised 1 10
# @TEST-EXEC: sed -n 2p rows >>findings.log && mv findings.log findings.2026-01-19-12-00-00.log && cp header findings.log
# @TEST-EXEC: $SCRIPTS/wait-for-lines zeek/raised 2 10
# @TEST-EXEC: sed -n 3p rows >>findings.log
# @TEST-EXEC: btest-bg-wait 30
# @TEST-EXEC: btest-diff zeek/raised

redef exit_only_after_terminate = T;
redef ZeekAnalyzer::findings_file = "../findings.log";
redef ZeekAnalyzer::max_age = 0secs;

global raised = open("raised");
global notices = 0;

event Notice::log_notice(rec: Notice::Info)
	{
	print raised, fmt("%s %s", rec$note, rec$src);
	flush_all();
	notices += 1;
	if ( notices == 3 )
		terminate();
	}

event late()
	{
	terminate();
	}

event zeek_init()
	{
	schedule 25secs { late() };
	}
