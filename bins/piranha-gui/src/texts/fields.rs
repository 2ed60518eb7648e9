//! Labels and help of the fields of lvs.cf in both languages.

/// A field's texts in one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldText {
    pub(crate) label: &'static str,
    pub(crate) help: &'static str,
}

macro_rules! fields {
    ($($key:ident: $label:literal, $help:literal; $korean_label:literal, $korean_help:literal;)*) => {
        /// All fields in one language.
        #[derive(Debug)]
        pub(crate) struct Fields {
            $(pub(crate) $key: FieldText,)*
        }

        impl Fields {
            pub(crate) const ENGLISH: Self = Self {
                $($key: FieldText { label: $label, help: $help },)*
            };
            pub(crate) const KOREAN: Self = Self {
                $($key: FieldText { label: $korean_label, help: $korean_help },)*
            };
        }
    };
}

/// The fields in English.
pub(crate) static ENGLISH: Fields = Fields::ENGLISH;
/// The fields in Korean.
pub(crate) static KOREAN: Fields = Fields::KOREAN;

fields! {
    primary: "Primary server public IP:", "Address of the primary router on the public network; heartbeats go between it and the redundant server's.";
        "주 서버 공용 IP:", "공용 네트워크에서 주 라우터의 주소입니다. 예비 서버 주소와 하트비트를 주고받습니다.";
    primary_private: "Primary server private IP: (May be blank)", "Address of the primary router on the private network, a second path for heartbeats. Blank: one path only.";
        "주 서버 사설 IP: (비워도 됨)", "사설 네트워크에서 주 라우터의 주소이며 하트비트의 두 번째 경로입니다. 비우면 경로가 하나입니다.";
    tcp_timeout: "TCP timeout (seconds):", "After so long without a packet the kernel forgets an established connection. Blank: the kernel's own time.";
        "TCP 시간 제한(초):", "이 시간 동안 패킷이 없으면 커널이 연결을 잊습니다. 비우면 커널 기본값입니다.";
    tcpfin_timeout: "TCP FIN timeout (seconds):", "The same after a FIN. Blank: the kernel's own time.";
        "TCP FIN 시간 제한(초):", "FIN 이후의 시간 제한입니다. 비우면 커널 기본값입니다.";
    udp_timeout: "UDP timeout (seconds):", "The same for UDP. Blank: the kernel's own time.";
        "UDP 시간 제한(초):", "UDP의 시간 제한입니다. 비우면 커널 기본값입니다.";
    network: "Use network type:", "How packets reach the real servers. NAT: through this router both ways. Direct Routing: answers go straight to the client, servers have the VIP on lo. Tunneling: as direct, over IP-in-IP.";
        "네트워크 유형:", "패킷이 실제 서버에 도달하는 방법입니다. NAT: 양방향 모두 이 라우터를 거칩니다. Direct Routing: 응답이 클라이언트로 바로 가며 서버의 lo에 VIP가 있습니다. Tunneling: IP-in-IP로 전달합니다.";
    nat_router: "NAT Router IP:", "Floating address on the private network: the real servers' default gateway. It moves with the active role.";
        "NAT 라우터 IP:", "사설 네트워크의 유동 주소로 실제 서버의 기본 게이트웨이입니다. 활성 역할과 함께 이동합니다.";
    nat_nmask: "NAT Router netmask:", "Mask of that address, any from /8 to /32.";
        "NAT 라우터 넷마스크:", "위 주소의 마스크로 /8부터 /32까지 쓸 수 있습니다.";
    nat_device: "NAT Router device:", "Interface with alias number for that address, such as eth1:1; the same name on both routers.";
        "NAT 라우터 장치:", "위 주소의 인터페이스와 별칭 번호(예: eth1:1)이며 두 라우터에서 같은 이름이어야 합니다.";
    backup: "Redundant server public IP:", "Address of the backup router on the public network.";
        "예비 서버 공용 IP:", "공용 네트워크에서 예비 라우터의 주소입니다.";
    backup_private: "Redundant server private IP:", "Address of the backup router on the private network; used when the primary has one too.";
        "예비 서버 사설 IP:", "사설 네트워크에서 예비 라우터의 주소입니다. 주 서버에도 사설 IP가 있을 때 쓰입니다.";
    keepalive: "Heartbeat interval (seconds):", "Time between two heartbeats.";
        "하트비트 간격(초):", "하트비트 사이의 시간입니다.";
    deadtime: "Assume dead after (seconds):", "After so long without a heartbeat the partner takes over. At least three times the interval.";
        "다운 판정 시간(초):", "이 시간 동안 하트비트가 없으면 상대 라우터가 넘겨받습니다. 간격의 세 배 이상이어야 합니다.";
    heartbeat_port: "Heartbeat runs on port:", "UDP port of the heartbeats, the same on both routers; firewalls must let it through.";
        "하트비트 포트:", "하트비트의 UDP 포트로 두 라우터에서 같아야 하며 방화벽에서 허용해야 합니다.";
    monitor_links: "Monitor NIC links for failures:", "Hand over when a network link of the active router fails.";
        "NIC 링크 장애 감시:", "활성 라우터의 네트워크 링크에 장애가 나면 역할을 넘깁니다.";
    syncdaemon: "Use sync daemon:", "Tell the partner of established connections, so that they survive a fail-over.";
        "동기화 데몬 사용:", "연결 정보를 상대 라우터에 알려 장애 조치 후에도 연결이 유지되게 합니다.";
    syncd_iface: "Sync daemon interface:", "Interface over which connections are told.";
        "동기화 데몬 인터페이스:", "연결 정보를 보낼 인터페이스입니다.";
    syncd_id: "Sync daemon ID:", "0 to 255, the same on both routers; router pairs on one network need different ones.";
        "동기화 데몬 ID:", "0–255이며 두 라우터에서 같아야 합니다. 같은 네트워크의 다른 라우터 쌍과 달라야 합니다.";
    virtual_name: "Name:", "Name of the service in lvs.cf and in messages. Blanks become _.";
        "이름:", "lvs.cf와 메시지에 쓰이는 서비스 이름입니다. 공백은 _가 됩니다.";
    port: "Application port:", "Port of the service at the virtual address.";
        "응용 프로그램 포트:", "가상 주소에서 서비스의 포트입니다.";
    protocol: "Protocol:", "tcp or udp.";
        "프로토콜:", "tcp 또는 udp입니다.";
    vip: "Virtual IP Address:", "The service's floating address, which clients use.";
        "가상 IP 주소:", "클라이언트가 사용하는 서비스의 유동 주소입니다.";
    vip_nmask: "Virtual IP Network Mask:", "Mask of that address; Unused: /32.";
        "가상 IP 넷마스크:", "위 주소의 마스크입니다. 사용 안 함: /32.";
    sorry_server: "Sorry Server:", "Address that gets the connections when no real server is left.";
        "사과 서버:", "남은 실제 서버가 없을 때 연결을 받을 주소입니다.";
    fwmark: "Firewall Mark:", "Number that your firewall rules put on packets; groups several ports into one service. Takes the place of address, port and protocol.";
        "방화벽 마크:", "방화벽 규칙이 패킷에 붙이는 숫자로 여러 포트를 하나의 서비스로 묶습니다. 주소, 포트, 프로토콜을 대신합니다.";
    device: "Device:", "Interface with alias number for the virtual address, such as eth0:1; one alias for each address.";
        "장치:", "가상 주소의 인터페이스와 별칭 번호(예: eth0:1)이며 주소마다 다른 별칭을 씁니다.";
    reentry: "Re-entry Time:", "Seconds that a failed real server must answer before it is used again.";
        "재진입 시간:", "장애가 난 실제 서버를 다시 쓰기 전에 정상 응답해야 하는 시간(초)입니다.";
    timeout: "Service timeout:", "Seconds between two checks, and without an answer before a real server is taken out.";
        "서비스 시간 제한:", "점검 사이의 시간이자, 응답이 없을 때 실제 서버를 제외하기까지의 시간(초)입니다.";
    quiesce_server: "Quiesce server:", "Yes: a failing server stays in the table with weight 0, so that its connections can end. No: it is removed.";
        "서버 유지(quiesce):", "예: 장애가 난 서버를 가중치 0으로 테이블에 남겨 연결이 끝나게 합니다. 아니오: 제거합니다.";
    load_monitor: "Load monitoring tool:", "How the load of real servers is read to adjust weights: rup needs rstatd on them, ruptime needs rwhod.";
        "부하 모니터링 도구:", "가중치 조정을 위해 실제 서버의 부하를 읽는 방법입니다. rup은 rstatd, ruptime은 rwhod가 필요합니다.";
    scheduler: "Scheduling:", "How connections are spread over the real servers.";
        "스케줄링:", "연결을 실제 서버에 나누는 방법입니다.";
    persistent: "Persistence:", "Seconds for which a client stays with its real server. Blank: off.";
        "지속 시간:", "클라이언트가 같은 실제 서버에 유지되는 시간(초)입니다. 비우면 끕니다.";
    pmask: "Persistence Network Mask:", "Clients that are equal under this mask count as one. Unused: each alone.";
        "지속 넷마스크:", "이 마스크로 같은 클라이언트는 하나로 칩니다. 사용 안 함: 각각 따로.";
    audit_interval: "Audit interval (seconds):", "So often lvs compares the kernel's table with what it should be, and repairs it. Usually 10.";
        "감사 간격(초):", "lvs가 커널 테이블을 있어야 할 상태와 비교하여 고치는 간격입니다. 보통 10입니다.";
    drain_limit: "Drain limit (seconds):", "After so long a server that was taken out of lvs.cf is removed even if it still has connections. Usually 300.";
        "비우기 제한(초):", "lvs.cf에서 빠진 서버는 연결이 남아 있어도 이 시간이 지나면 제거됩니다. 보통 300입니다.";
    max_programs: "Check programs at once:", "As many sending programs run at the same time; the others wait. Usually 64.";
        "동시 점검 프로그램 수:", "동시에 실행되는 전송 프로그램의 수이며 나머지는 기다립니다. 보통 64입니다.";
    clear_table: "Clear the whole table at start", "As the original did: entries of others are removed as well.";
        "시작할 때 테이블 전체 비우기", "원본처럼 다른 프로그램이 만든 항목도 지웁니다.";
    keepalive_ms: "Heartbeat interval (milliseconds):", "10 to 600000; counts instead of the seconds above.";
        "하트비트 간격(밀리초):", "10–600000이며 위의 초 단위 값 대신 쓰입니다.";
    deadtime_ms: "Assume dead after (milliseconds):", "10 to 600000; counts instead of the seconds above.";
        "다운 판정 시간(밀리초):", "10–600000이며 위의 초 단위 값 대신 쓰입니다.";
    heartbeat_key: "Heartbeat key file:", "File with one or two keys that authenticate heartbeats; the same on both routers. Blank: heartbeats are not authenticated.";
        "하트비트 키 파일:", "하트비트를 인증하는 키가 한두 개 든 파일이며 두 라우터에서 같아야 합니다. 비우면 인증하지 않습니다.";
    heartbeat_auth: "Heartbeat authentication:", "With a key: enforce takes only signed heartbeats, permissive unsigned ones too, send signs and checks nothing.";
        "하트비트 인증:", "키가 있을 때 enforce는 서명된 하트비트만, permissive는 서명 없는 것도 받습니다. send는 서명만 하고 확인하지 않습니다.";
    witness: "Witness addresses:", "Up to four addresses outside the pair, such as gateways: a router that reaches none of them does not take over.";
        "증인(witness) 주소:", "게이트웨이처럼 라우터 쌍 밖의 주소를 네 개까지 씁니다. 어느 것에도 닿지 않는 라우터는 넘겨받지 않습니다.";
    vip_lifetime: "VIP lifetime (seconds):", "So long the floating addresses outlive a pulse that does not renew them. Blank: from the two times above; 0: for ever.";
        "VIP 수명(초):", "pulse가 갱신하지 않아도 유동 주소가 남아 있는 시간입니다. 비우면 위의 두 시간으로 정하며 0이면 계속 남습니다.";
    arp_interval: "ARP announcement interval (seconds):", "So often the active router announces its addresses again. Usually 60; 0: only when it takes over.";
        "ARP 알림 간격(초):", "활성 라우터가 주소를 다시 알리는 간격입니다. 보통 60이며 0이면 넘겨받을 때만 알립니다.";
    failback: "Fail back after (seconds):", "After being healthy so long the primary router asks for the active role again. 0: never.";
        "되돌림 시간(초):", "주 라우터가 이 시간 동안 정상이면 활성 역할을 다시 요청합니다. 0이면 하지 않습니다.";
    standby_checks: "Check the real servers on the standby router too", "A router that takes over then knows at once which servers work.";
        "대기 라우터에서도 실제 서버 점검", "넘겨받는 라우터가 어느 서버가 정상인지 바로 압니다.";
    timeout_ms: "Service timeout (milliseconds):", "10 to 600000; counts instead of the seconds above.";
        "서비스 시간 제한(밀리초):", "10–600000이며 위의 초 단위 값 대신 쓰입니다.";
    retries: "Failed checks:", "As many checks in a row must fail before a real server is taken out: 1 to 100.";
        "실패 횟수:", "이 횟수만큼 점검에 연속으로 실패해야 실제 서버를 제외합니다(1–100).";
    slow_start: "Slow start:", "Yes: a real server that comes back gets its full weight step by step. No: at once.";
        "천천히 시작:", "예: 돌아온 실제 서버의 가중치를 단계적으로 올립니다. 아니오: 바로 전부 줍니다.";
    server_name: "Name:", "Name of the real server. Blanks become _.";
        "이름:", "실제 서버의 이름입니다. 공백은 _가 됩니다.";
    server_address: "Address:", "Address of the real server.";
        "주소:", "실제 서버의 주소입니다.";
    server_port: "Port:", "Leave blank to default to Virtual Server's Application Port. Another port works with NAT only.";
        "포트:", "비우면 가상 서버의 포트를 씁니다. 다른 포트는 NAT에서만 작동합니다.";
    server_weight: "Weight:", "Capacity relative to the other real servers. 0: no new connections.";
        "가중치:", "다른 실제 서버에 대한 상대적 용량입니다. 0이면 새 연결을 받지 않습니다.";
    send_program: "Sending Program:", "Program whose output tells whether the service works, for services whose answer changes (HTTPS, DNS).";
        "전송 프로그램:", "출력으로 서비스 정상 여부를 알려 주는 프로그램입니다(HTTPS, DNS처럼 응답이 바뀌는 서비스용).";
    send: "Send:", "Text sent to the service after connecting.";
        "보낼 문자열:", "연결 후 서비스에 보내는 문자열입니다.";
    expect: "Expect:", "Text with which the answer must begin.";
        "기대 문자열:", "응답이 시작되어야 하는 문자열입니다.";
    use_regex: "Treat expect string as a regular expression", "The answer must match it instead of beginning with it.";
        "기대 문자열을 정규식으로 취급", "응답이 문자열로 시작하는 대신 정규식과 일치해야 합니다.";
}
