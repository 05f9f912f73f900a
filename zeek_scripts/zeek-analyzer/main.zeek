##! The notice types of zeek-analyzer and the columns it adds to notice.log.

@load base/frameworks/notice

module ZeekAnalyzer;

export {
	redef enum Notice::Type += {
		## A local host tried many hosts on one port, and too few answered.
		Address_Scan,
		## A local host tried many ports on many hosts.
		Block_Scan,
		## A host moved far more bytes in five minutes than it ever does.
		Byte_Burst,
		## Several independent findings about a local host add up.
		Compromised_Host,
		## A host made far more connections in five minutes than it ever does.
		Connection_Burst,
		## DNS name too long to be one.
		DNS_Long_Name,
		## NXDOMAIN storm.
		DNS_NXDOMAIN_Storm,
		## DNS records of a type that nobody needs.
		DNS_Rare_Type,
		## Unusually many TXT questions.
		DNS_TXT_Volume,
		## A host asked for names that carry more information than names need.
		DNS_Tunnel,
		## Unusually many DNS questions.
		DNS_Volume,
		## DNS zone transfer.
		DNS_Zone_Transfer,
		## Many outside hosts together guessed passwords at one of our services.
		Distributed_Password_Guessing,
		## A local host sent far more data to an outside place than comes back.
		Exfiltration,
		## A local host reached many new hosts on one port at once.
		Fan_Out,
		## Echoes carried more than pings do.
		ICMP_Tunnel,
		## An outside host scanned us.
		Inbound_Scan,
		## A host was taken charge of, and soon after took charge of the next.
		Lateral_Chain,
		## A local host opened sessions with many hosts it never administered before.
		Lateral_Movement,
		## A local host stayed connected with one outside service for hours.
		Long_Connection,
		## Two hosts exchanged far more bytes in five minutes than they ever do.
		Pair_Byte_Burst,
		## Two hosts had far more connections in five minutes than they ever do.
		Pair_Connection_Burst,
		## A host guessed passwords at one service.
		Password_Guessing,
		## A host guessed passwords at many hosts.
		Password_Spraying,
		## A local host tried an outside service again and again without an answer.
		Persistent_Failure,
		## A local host sent ICMP requests to many hosts that answered.
		Ping_Sweep,
		## A local host tried many ports of one host, and too few were open.
		Port_Scan,
		## A local host sent much data to an outside place, little by little.
		Slow_Exfiltration,
		## A local host connected with one outside service without a pause, for hours.
		Strobe,
		## A local host was in contact with what threat intelligence lists.
		Threat_Intelligence,
		## A local host looked up what threat intelligence lists, and went no further.
		Threat_Intelligence_Lookup,
		## A local host answered an outside host that threat intelligence lists.
		Threat_Intelligence_Visitor,
	};
}

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
};
