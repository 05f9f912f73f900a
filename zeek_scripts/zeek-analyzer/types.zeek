##! The notice types of zeek-analyzer's rules.
##!
##! Made from the rules by "zeek-analyzer rules notices": do not edit.

@load base/frameworks/notice

module ZeekAnalyzer;

export {
	redef enum Notice::Type += {
		## Address scan from a local host (rule address_scan; ATT&CK T1046, T1018).
		Address_Scan,
		## Connection unlike anything usual (rule anomalous_connection; ATT&CK T1571, T1048, T1071, T1095, T1030, T1078).
		Anomalous_Connection,
		## Five minutes of a host unlike anything usual (rule anomalous_window; ATT&CK T1046, T1030, T1499).
		Anomalous_Window,
		## Beacon (rule beacon; ATT&CK T1071.001, T1571, T1095).
		Beacon,
		## Block scan from a local host (rule block_scan; ATT&CK T1046).
		Block_Scan,
		## Byte burst of a host (rule byte_burst; ATT&CK T1030, T1498).
		Byte_Burst,
		## Host about which several independent findings add up (rule compromised_host; ATT&CK T1071, T1046, T1041).
		Compromised_Host,
		## Connection burst of a host (rule connection_burst; ATT&CK T1046, T1498).
		Connection_Burst,
		## Names made by an algorithm (rule dga; ATT&CK T1568.002).
		DGA_Domains,
		## Other DNS questions than usual (rule dns_habits; ATT&CK T1071.004, T1568.002).
		DNS_Habits,
		## DNS name too long to be one (rule dns_long_name; ATT&CK T1071.004, T1048.003).
		DNS_Long_Name,
		## NXDOMAIN storm (rule dns_nxdomain; ATT&CK T1568, T1595.003, T1590.002, T1499).
		DNS_NXDOMAIN_Storm,
		## DNS records of a type that nobody needs (rule dns_rare_type; ATT&CK T1071.004, T1498.002, T1590.002).
		DNS_Rare_Type,
		## Unusually many TXT questions (rule dns_txt_volume; ATT&CK T1071.004, T1105).
		DNS_TXT_Volume,
		## DNS tunnel (rule dns_tunnel; ATT&CK T1071.004, T1572, T1048).
		DNS_Tunnel,
		## Unusually many DNS questions (rule dns_volume; ATT&CK T1071.004, T1498).
		DNS_Volume,
		## DNS zone transfer (rule dns_transfer; ATT&CK T1590.002, T1018).
		DNS_Zone_Transfer,
		## Passwords guessed by many hosts together (rule distributed_brute_force; ATT&CK T1110.001).
		Distributed_Password_Guessing,
		## A connection longer than any before (rule duration_outlier; ATT&CK T1572, T1071, T1219, T1021).
		Duration_Outlier,
		## Exfiltration of much data at once (rule exfiltration; ATT&CK T1048, T1041, T1567, T1030).
		Exfiltration,
		## Fan-out to many new hosts that answer (rule fan_out; ATT&CK T1046).
		Fan_Out,
		## ICMP tunnel (rule icmp_tunnel; ATT&CK T1095, T1572).
		ICMP_Tunnel,
		## Scan from outside (rule inbound_scan; ATT&CK T1595.001, T1046).
		Inbound_Scan,
		## A chain of first sessions (rule lateral_chain; ATT&CK T1021, T1021.001, T1021.002, T1021.003, T1021.004, T1021.005, T1021.006).
		Lateral_Chain,
		## Sessions with many hosts never administered before (rule lateral_movement; ATT&CK T1021, T1021.001, T1021.002, T1021.003, T1021.004, T1021.005, T1021.006).
		Lateral_Movement,
		## Long connection to an outside host (rule long_connection; ATT&CK T1571, T1071, T1071.001, T1071.003, T1095).
		Long_Connection,
		## An application that is new to a host and its like (rule new_application; ATT&CK T1071, T1021).
		New_Application,
		## A port never used before (rule new_port; ATT&CK T1571, T1021, T1095).
		New_Port,
		## A port on which a host never answered (rule new_service; ATT&CK T1571, T1021).
		New_Service,
		## A host at work when it is quiet (rule off_hours; ATT&CK T1078).
		Off_Hours_Activity,
		## Unusually many new outside hosts (rule outside_hosts; ATT&CK T1046, T1071, T1090).
		Outside_Hosts,
		## Byte burst between two hosts (rule pair_byte_burst; ATT&CK T1030, T1498).
		Pair_Byte_Burst,
		## Connection burst between two hosts (rule pair_connection_burst; ATT&CK T1499, T1110).
		Pair_Connection_Burst,
		## Passwords guessed at one service (rule brute_force; ATT&CK T1110.001).
		Password_Guessing,
		## Passwords guessed at many hosts (rule password_spray; ATT&CK T1110.003, T1110.001).
		Password_Spraying,
		## Persistent failed contact with an outside host (rule persistent_failure; ATT&CK T1571, T1008, T1071, T1071.001, T1071.003, T1095).
		Persistent_Failure,
		## Ping sweep whose targets answer (rule ping_sweep; ATT&CK T1018).
		Ping_Sweep,
		## Port scan from a local host (rule port_scan; ATT&CK T1046).
		Port_Scan,
		## A port used far more than usual (rule port_share; ATT&CK T1071, T1499, T1110).
		Port_Share,
		## Far more sent than usual (rule producer_consumer; ATT&CK T1048, T1074.002).
		Producer_Consumer,
		## Other protocols than usual (rule protocol_mix; ATT&CK T1071, T1095, T1572).
		Protocol_Mix,
		## Exfiltration little by little (rule slow_exfiltration; ATT&CK T1030, T1048, T1041, T1567).
		Slow_Exfiltration,
		## Strobe of connections to an outside host (rule strobe; ATT&CK T1071, T1071.001, T1071.003, T1095, T1498.001, T1571).
		Strobe,
		## Contact with what threat intelligence lists (rule threat_intelligence; ATT&CK T1071).
		Threat_Intelligence,
		## Lookup of what threat intelligence lists (rule threat_intelligence_lookup; ATT&CK T1568).
		Threat_Intelligence_Lookup,
		## Visitor whom threat intelligence lists (rule threat_intelligence_visitor; ATT&CK T1595).
		Threat_Intelligence_Visitor,
		## Broader than a host ever is (rule unusual_fan_out; ATT&CK T1046, T1018, T1021).
		Unusual_Fan_Out,
		## Five minutes that hold more than the network ever does (rule unusual_network_volume; ATT&CK T1498, T1048).
		Unusual_Network_Volume,
		## Far more than a host ever moves (rule unusual_volume; ATT&CK T1048, T1074.002, T1499, T1105).
		Unusual_Volume,
	};
}
