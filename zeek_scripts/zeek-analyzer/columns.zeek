##! The columns that findings add to notice.log.

@load base/frameworks/notice

redef record Notice::Info += {
	## Ids of the ATT&CK techniques, such as T1046.
	mitre_technique_id: set[string] &log &optional;
	## Ids of their tactics, such as TA0007.
	mitre_tactic_id: set[string] &log &optional;
	## How sure the analyzer is that this is worth a person's time, in [0, 1].
	score: double &log &optional;
	## The score in words: low, medium, high, critical.
	severity: string &log &optional;
	## What was observed, beside what was expected.
	evidence: string &log &optional;
	## Time of the last connection that belongs to a finding; *ts* is when it became a notice.
	last_seen: time &log &optional;
};
