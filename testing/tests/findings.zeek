# @TEST-DOC: Findings become notices, with all that they hold and nothing made up.
#
# @TEST-EXEC: cp $FILES/notice.log findings.log
# @TEST-EXEC: zeek -b $PACKAGE %INPUT
# @TEST-EXEC: zeek-cut note src dst p n proto msg sub <notice.log >about
# @TEST-EXEC: zeek-cut uid id.orig_h id.orig_p id.resp_h id.resp_p actions suppress_for <notice.log >connection
# @TEST-EXEC: zeek-cut mitre_technique_id mitre_tactic_id score severity evidence last_seen <notice.log >own
# @TEST-EXEC: btest-diff about
# @TEST-EXEC: btest-diff connection
# @TEST-EXEC: btest-diff own

redef exit_only_after_terminate = T;
redef ZeekAnalyzer::findings_file = "findings.log";
redef ZeekAnalyzer::max_age = 0secs;

global notices = 0;

event Notice::log_notice(rec: Notice::Info)
	{
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
	schedule 20secs { late() };
	}
