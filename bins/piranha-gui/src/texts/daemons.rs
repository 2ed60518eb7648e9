//! What pulse and lvs say of themselves, and of what they were asked for.

use super::told::table;

table! {
    // Why pulse is what it is.
    "partner dead: activating lvs" => "상대 라우터가 응답하지 않아 lvs를 활성화합니다";
    "partner dead: activating lvs (no active backup is defined)" => "사용하는 예비 라우터가 없어 lvs를 활성화합니다";
    "backup inactive: activating lvs" => "예비 라우터가 비활성이므로 lvs를 활성화합니다";
    "primary inactive: activating lvs" => "주 라우터가 비활성이므로 lvs를 활성화합니다";
    "Forced active on startup: activating lvs" => "시작할 때 강제로 활성으로 지정되어 lvs를 활성화합니다";
    "partner active: deactivating LVS" => "상대 라우터가 활성이므로 LVS를 비활성화합니다";
    "lvs keeps dying: deactivating LVS, the partner is to take over" => "lvs가 계속 비정상 종료되어 LVS를 비활성화합니다. 상대 라우터가 넘겨받습니다";
    "activation failed: deactivating LVS" => "활성화하지 못하여 LVS를 비활성화합니다";
    "local link failure: deactivating LVS" => "이 라우터의 링크에 장애가 있어 LVS를 비활성화합니다";
    "hand-over requested: deactivating LVS" => "역할을 넘기라는 요청에 따라 LVS를 비활성화합니다";
    "the primary asks for its role: deactivating LVS" => "주 라우터가 역할을 돌려받겠다고 요청하여 LVS를 비활성화합니다";
    "the public network is lost here but not to the partner: deactivating LVS" => "공용 네트워크가 상대 라우터와 달리 이 라우터에서만 끊겨 LVS를 비활성화합니다";
    "not run for too long: deactivating LVS" => "이 프로세스가 너무 오래 실행되지 못하여 LVS를 비활성화합니다";
    "terminating: deactivating LVS" => "종료 중이므로 LVS를 비활성화합니다";

    // What keeps it from its role.
    "a network interface has no carrier" => "네트워크 인터페이스에 링크 신호가 없습니다";
    "neither router is known to be active" => "활성으로 알려진 라우터가 없습니다";
    "heartbeat lost, partner still serving" => "하트비트가 끊겼지만 상대 라우터가 아직 서비스하고 있습니다";
    "{} is also claimed by {}" => "{} 주소를 {} 장비도 쓰고 있습니다";
    "sync daemon: {told}" => "동기화 데몬: {told}";
    "not everything was let go of in time" => "제때 모두 내려놓지 못했습니다";
    "cannot open a netlink socket: {told}" => "netlink 소켓을 열 수 없습니다: {told}";
    "the netlink connection was lost" => "netlink 연결이 끊겼습니다";
    "no network interface {}: create it or name another one" => "네트워크 인터페이스 {}이(가) 없습니다. 만들거나 다른 이름을 쓰십시오";
    "cannot add {} to {}: {told}" => "주소 {}을(를) {}에 추가할 수 없습니다: {told}";
    "cannot remove {} from {}: {told}" => "주소 {}을(를) {}에서 제거할 수 없습니다: {told}";
    "cannot read {} from the kernel: {told}" => "커널에서 {}을(를) 읽을 수 없습니다: {told}";
    "interface {} has no Ethernet address, so ARP cannot be sent for it" => "인터페이스 {}에 이더넷 주소가 없어 ARP를 보낼 수 없습니다";
    "{} is not a network mask" => "{}은(는) 네트워크 마스크가 아닙니다";
    "{} cannot be the address of an interface" => "{}은(는) 인터페이스의 주소가 될 수 없습니다";
    "cannot open a packet socket on {}: {told}" => "{}에서 패킷 소켓을 열 수 없습니다: {told}";
    "cannot receive on {}: {told}" => "{}에서 받을 수 없습니다: {told}";
    "cannot send on {}: {told}" => "{}에서 보낼 수 없습니다: {told}";
    "cannot ping {}: {told}" => "{}에 ping을 보낼 수 없습니다: {told}";
    "the change of addresses was broken off: {}" => "주소 변경이 중단되었습니다: {}";

    // Of lvs and the kernel's table.
    "virtual service {} has no usable address: left out" => "가상 서비스 {}에 쓸 수 있는 주소가 없어 제외했습니다";
    "virtual service {} is the same service as {} ({}): left out" => "가상 서비스 {}은(는) {} ({})과(와) 같은 서비스이므로 제외했습니다";
    "no active server {}" => "사용 중인 서버 {}이(가) 없습니다";
    "{} is not drained" => "{}은(는) 비우는 중이 아닙니다";
    "Service already exists" => "서비스가 이미 있습니다";
    "Scheduler or persistence engine not found" => "스케줄러 또는 지속성 엔진이 없습니다";
    "No such service" => "그런 서비스가 없습니다";
    "Service not defined" => "서비스가 정의되지 않았습니다";
    "Destination already exists" => "대상 서버가 이미 있습니다";
    "No such destination" => "그런 대상 서버가 없습니다";
    "Daemon has already run" => "데몬이 이미 실행 중입니다";
    "No daemon is running" => "실행 중인 데몬이 없습니다";
    "Permission denied (you must be root)" => "권한이 없습니다(root여야 합니다)";
    "Invalid operation.  Possibly wrong module version, address not unicast, ..." => "잘못된 작업입니다. 모듈 버전이 맞지 않거나 유니캐스트 주소가 아닐 수 있습니다";
    "Protocol not available" => "프로토콜을 쓸 수 없습니다";
    "Memory allocation problem" => "메모리를 할당할 수 없습니다";
    "Operation not supported with IPv6" => "IPv6에서는 지원하지 않는 작업입니다";
    "Operation not supported with specified address family" => "이 주소 체계에서는 지원하지 않는 작업입니다";
    "Module is wrong version" => "모듈의 버전이 맞지 않습니다";
    "cannot send to the kernel: {told}" => "커널에 보낼 수 없습니다: {told}";
    "cannot receive from the kernel: {told}" => "커널에서 받을 수 없습니다: {told}";
    "no answer from the kernel" => "커널이 응답하지 않습니다";

    // Of what they were asked for.
    "the configuration was read again; {told}" => "설정을 다시 읽었습니다. {told}";
    "the configuration was read again" => "설정을 다시 읽었습니다";
    "{} changed: restart pulse to follow that" => "{}이(가) 바뀌었습니다. 적용하려면 pulse를 다시 시작하십시오";
    "{told}; the old configuration stays in force" => "{told}. 이전 설정을 그대로 씁니다";
    "lvs refuses the configuration: {told}" => "lvs가 설정을 거부했습니다: {told}";
    "error parsing {} at line {}: {told}" => "{} 파일의 {}번째 줄에 오류가 있습니다: {told}";
    "no active lvs services defined in {}" => "{} 파일에 사용하는 lvs 서비스가 없습니다";
    "{}: service = fos: failover services are not supported" => "{}: service = fos: 장애 조치(failover) 서비스는 지원하지 않습니다";
    "cannot resolve {}: {told}" => "{}의 주소를 찾을 수 없습니다: {told}";
    "{} has no IPv4 address" => "{}에 IPv4 주소가 없습니다";
    "neither primary ({}) nor backup ({}) is an address of this machine" => "primary ({})와 backup ({}) 가운데 이 장비의 주소가 없습니다";
    "drained" => "비우는 중입니다";
    "enabled" => "다시 사용합니다";
    "this router is not active" => "이 라우터는 활성이 아닙니다";
    "handed over: the partner is active" => "넘겼습니다. 상대 라우터가 활성입니다";
    "not handed over: no partner could take over, or it did not" => "넘기지 못했습니다. 넘겨받을 수 있는 상대 라우터가 없거나 넘겨받지 않았습니다";
    "{} is not running here" => "이 라우터에서 {}이(가) 실행되지 않습니다";
    "{} did not answer in time" => "{}이(가) 제때 응답하지 않았습니다";
    "{} does not answer: {told}" => "{}이(가) 응답하지 않습니다: {told}";
    "{} gave an answer that is not understood" => "{}의 응답을 이해할 수 없습니다";
}
