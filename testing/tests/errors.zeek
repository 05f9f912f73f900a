# @TEST-DOC: A row that makes no sense is reported and passed over, and does not end the reading.
#
# @TEST-EXEC: grep '^#' $FILES/notice.log >findings.log
# @TEST-EXEC: grep -v '^#' $FILES/notice.log | sed -n 1p | sed 's/ZeekAnalyzer::[A-Za-z_]*/ZeekAnalyzer::No_Such_Type/' >>findings.log
# @TEST-EXEC: echo "half a row" >>findings.log
# @TEST-EXEC: grep -v '^#' $FILES/notice.log | sed -n 2p >>findings.log
# @TEST-EXEC: zeek -b $PACKAGE %INPUT >output
# @TEST-EXEC: btest-diff output

redef exit_only_after_terminate = T;
redef ZeekAnalyzer::findings_file = "findings.log";
redef ZeekAnalyzer::max_age = 0secs;

# A site that is stricter by default.
redef InputAscii::fail_on_invalid_lines = T;
redef InputAscii::fail_on_file_problem = T;

global warned = F;

event reporter_warning(t: time, msg: string, location: string) &priority=1
	{
	if ( /No_Such_Type/ in msg || /Not enough fields/ in msg )
		warned = T;
	}

event Notice::log_notice(rec: Notice::Info)
	{
	print "warned", warned;
	print "notice", rec$note, rec$src;
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
