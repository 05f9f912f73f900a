##! Makes notices of the findings that zeek-analyzer writes to its own notice.log, so that this
##! site's notice policy, suppression and mail apply to them as to all others.
##!
##! The file grows by whole lines, is rotated by renaming, and may be replaced. Of Zeek's readers
##! the ASCII reader parses rows but keeps to the file that it once opened, and the raw reader
##! notices a new file but knows only lines. So each does what it can: the raw reader waits for
##! the header of a new file, which may be missing for as long as it likes, and then the ASCII
##! reader is set on it. The one before keeps its file open for a while and misses nothing that
##! was written just before the rotation.

@load base/frameworks/cluster
@load base/frameworks/input
@load base/frameworks/notice
@load base/frameworks/reporter
@load ./types
@load ./columns

module ZeekAnalyzer;

export {
	## Whether findings become notices at all. Of a cluster only the manager reads them.
	const read_findings = T &redef;

	## The notice.log of zeek-analyzer, as tab-separated values. Never Zeek's own.
	const findings_file = "/var/lib/zeek-analyzer/notice.log" &redef;

	## Findings whose last connection is longer ago than this are not raised. 0secs raises every
	## finding, whatever its age.
	option max_age: interval = 1day;

	## The same for what is in the file already when Zeek starts, as the Zeek before it has raised
	## that, all but what came last.
	option max_age_at_start: interval = 1hr;

	## The two ends of the connection that shows a finding best. As ports of one column have no
	## protocol of their own, they are plain numbers here.
	type Ends: record {
		orig_h: addr &optional;
		orig_p: count &optional;
		resp_h: addr &optional;
		resp_p: count &optional;
	};

	## A finding: the columns of zeek-analyzer's notice.log that say something about it.
	type Finding: record {
		## Time of the last connection that belongs to it.
		ts: time;
		## What was found.
		note: Notice::Type;
		## One sentence for a person.
		msg: string;
		## The techniques, severity and score in words.
		sub: string &optional;
		## The host that it is about.
		src: addr;
		## The other side, if it is one host.
		dst: addr &optional;
		## The responder's port, if it is one port.
		p: count &optional;
		## The transport protocol.
		proto: string &optional;
		## How many connections it stands for.
		n: count &optional;
		## The connection that shows it best.
		uid: string &optional;
		## The ends of that connection.
		id: Ends;
		## For how long the same thing is no news.
		suppress_for: interval &optional;
		## See the columns of the same names of Notice::Info.
		mitre_technique_id: set[string] &optional;
		mitre_tactic_id: set[string] &optional;
		score: double &optional;
		severity: string &optional;
		evidence: string &optional;
	};

	## Raised for every finding that is read, before it becomes a notice.
	global finding: event(description: Input::EventDescription,
	    change: Input::Event, row: Finding);

	## Raised for every line of the file.
	global line: event(description: Input::EventDescription, change: Input::Event,
	    text: string);
}

redef record Notice::Info += {
	## The finding that a notice was made of. Not logged; for the notice policy.
	zeek_analyzer: ZeekAnalyzer::Finding &optional;
};

type Line: record {
	text: string;
};

# How long a reader stays on a file that has been rotated. It looks once a second.
const drain = 10secs;

const transports: table[string] of transport_proto = {
	["tcp"] = tcp,
	["udp"] = udp,
	["icmp"] = icmp
};

# What has been read: a file that is replaced may hold the same findings again.
global known: set[string] &create_expire=7days;

# How many files have been read, since when, and how many findings were too old.
global files = 0;
global since: time;
global too_old = 0;
global complained = F;

event ZeekAnalyzer::leave(name: string)
	{
	Input::remove(name);
	}

event ZeekAnalyzer::report_too_old()
	{
	Reporter::info(fmt("%d findings in %s are too old to become notices (ZeekAnalyzer::max_age, max_age_at_start)",
	    too_old, findings_file));
	too_old = 0;
	}

function stream_name(number: count): string
	{
	return fmt("zeek-analyzer-findings-%d", number);
	}

# A line or a file that cannot be read is a warning in reporter.log, whatever the site's defaults.
function lenient(): table[string] of string
	{
	local config: table[string] of string;
	config["fail_on_invalid_lines"] = "F";
	config["fail_on_file_problem"] = "F";
	return config;
	}

function read_file()
	{
	if ( files > 0 )
		schedule drain { ZeekAnalyzer::leave(stream_name(files)) };

	files += 1;
	since = current_time();
	Input::add_event([$source=findings_file, $reader=Input::READER_ASCII,
	    $mode=Input::STREAM, $name=stream_name(files),
	    $fields=ZeekAnalyzer::Finding, $ev=ZeekAnalyzer::finding,
	    $config=lenient()]);
	}

event ZeekAnalyzer::line(description: Input::EventDescription,
    change: Input::Event, text: string)
	{
	if ( starts_with(text, "#fields\t") )
		read_file();
	else if ( starts_with(text, "{") && ! complained )
		{
		complained = T;
		Reporter::warning(fmt("%s holds JSON, but findings are read as tab-separated values: write it without --format",
		    findings_file));
		}
	}

function transport_of(row: Finding): transport_proto
	{
	if ( row?$proto && row$proto in transports )
		return transports[row$proto];

	return unknown_transport;
	}

function has_ends(row: Finding): bool
	{
	return row$id?$orig_h && row$id?$orig_p && row$id?$resp_h && row$id?$resp_p;
	}

# What a finding is about: its ends and its message without the figures, which grow from one time
# to the next.
function identifier_of(row: Finding): string
	{
	local dst = row?$dst ? cat(row$dst) : "";
	local p = row?$p ? cat(row$p) : "";
	local proto = row?$proto ? row$proto : "";
	local what = gsub(row$msg, /[0-9]+/, "#");
	return cat_sep("|", "", cat(row$src), dst, p, proto, what);
	}

function notice_of(row: Finding): Notice::Info
	{
	local proto = transport_of(row);
	local n = Notice::Info($note=row$note, $msg=row$msg, $src=row$src,
	    $identifier=identifier_of(row), $last_seen=row$ts,
	    $zeek_analyzer=row);

	if ( has_ends(row) )
		{
		local orig_p = count_to_port(row$id$orig_p, proto);
		local resp_p = count_to_port(row$id$resp_p, proto);
		n$id = conn_id($orig_h=row$id$orig_h, $orig_p=orig_p, $resp_h=row$id$resp_h,
		    $resp_p=resp_p);
		}

	if ( row?$sub )
		n$sub = row$sub;
	if ( row?$dst )
		n$dst = row$dst;
	if ( row?$p )
		n$p = count_to_port(row$p, proto);
	if ( row?$proto )
		n$proto = proto;
	if ( row?$n )
		n$n = row$n;
	if ( row?$uid )
		n$uid = row$uid;
	# Zeek's default is the analyzer's too; where the site has another one, that one holds.
	if ( row?$suppress_for && row$suppress_for != 1hr )
		n$suppress_for = row$suppress_for;
	if ( row?$mitre_technique_id )
		n$mitre_technique_id = row$mitre_technique_id;
	if ( row?$mitre_tactic_id )
		n$mitre_tactic_id = row$mitre_tactic_id;
	if ( row?$score )
		n$score = row$score;
	if ( row?$severity )
		n$severity = row$severity;
	if ( row?$evidence )
		n$evidence = row$evidence;

	return n;
	}

function is_too_old(row: Finding): bool
	{
	if ( max_age == 0secs )
		return F;

	local limit = max_age;

	# What comes at once from the first file was there before.
	if ( files == 1
	    && current_time() - since < drain
	    && max_age_at_start < max_age )
		limit = max_age_at_start;

	return current_time() - row$ts > limit;
	}

event ZeekAnalyzer::finding(description: Input::EventDescription,
    change: Input::Event, row: Finding)
	{
	local what = cat(row$ts, row$note, identifier_of(row));

	if ( what in known )
		return;

	add known[what];

	if ( is_too_old(row) )
		{
		# One message for all of them.
		if ( too_old == 0 )
			schedule drain { ZeekAnalyzer::report_too_old() };

		too_old += 1;
		return;
		}

	NOTICE(notice_of(row));
	}

# Before any policy of the site: Zeek takes what a notice lacks from its connection, but here the
# connection is only an example, and a scan of many hosts is not about one of them.
hook Notice::policy(n: Notice::Info) &priority=20
	{
	if ( ! n?$zeek_analyzer )
		return;

	if ( ! n$zeek_analyzer?$dst )
		delete n$dst;
	if ( ! n$zeek_analyzer?$p )
		delete n$p;
	}

event zeek_init()
	{
	if ( ! read_findings || findings_file == "" )
		return;

	# Findings of the present have no place in the notices of an old capture.
	if ( reading_traces() || Supervisor::is_supervisor() )
		return;

	if ( Cluster::is_enabled() && Cluster::local_node_type() != Cluster::MANAGER )
		return;

	Input::add_event([$source=findings_file, $reader=Input::READER_RAW,
	    $mode=Input::STREAM, $name="zeek-analyzer-file",
	    $fields=ZeekAnalyzer::Line, $ev=ZeekAnalyzer::line, $want_record=F]);
	}
