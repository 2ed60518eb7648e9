//! What the check of lvs.cf says.

use super::told::table;

table! {
    // Errors.
    "Empty configuration" => "설정이 비어 있습니다";
    "quotation mismatch" => "따옴표의 짝이 맞지 않습니다";
    "unexpected arguments" => "불필요한 인수가 있습니다";
    "equal (=) expected after command" => "키워드 뒤에 등호(=)가 필요합니다";
    "missing arguments" => "인수가 빠졌습니다";
    "invalid host name or ip address" => "호스트 이름 또는 IP 주소가 올바르지 않습니다";
    "invalid argument" => "인수가 올바르지 않습니다";
    "integer expected" => "정수가 필요합니다";
    "boolean expected" => "0 또는 1이 필요합니다";
    "unknown command" => "알 수 없는 키워드입니다";
    "list expected" => "목록이 필요합니다";
    "Bad subnet mask specified" => "서브넷 마스크가 올바르지 않습니다";

    // What would have been right.
    "{told}; expected {told}" => "{told}. 필요한 값: {told}";
    "0 or 1" => "0 또는 1";
    "a whole number from {} to {}" => "{}부터 {}까지의 정수";
    "a port number from {} to {} or the name of a TCP service" => "{}부터 {}까지의 포트 번호 또는 TCP 서비스 이름";
    "an IPv4 address or a host name" => "IPv4 주소 또는 호스트 이름";
    "an IPv4 address other than {}, or a host name" => "{}이(가) 아닌 IPv4 주소 또는 호스트 이름";
    "an IPv4 address or a host name, then a device: {}" => "IPv4 주소 또는 호스트 이름과 그 뒤의 장치. 예: {}";
    "an IPv4 address" => "IPv4 주소";
    "a subnet mask, as {}" => "서브넷 마스크(예: {})";
    "one word, or a text in quotes" => "한 단어 또는 따옴표로 묶은 텍스트";
    "a text in quotes" => "따옴표로 묶은 텍스트";
    "one of {}" => "다음 중 하나: {}";
    "a list between brackets, as {}" => "대괄호로 묶은 목록(예: {})";
    "up to {} IPv4 addresses or host names, together in quotes" => "따옴표로 묶은 최대 {}개의 IPv4 주소 또는 호스트 이름";
    "= and then {told}" => "=와 그 뒤의 {told}";
    "a keyword that can stand {told}" => "{told}에서 쓸 수 있는 키워드";
    "a closing brace }" => "닫는 중괄호 }";
    "a closing {}" => "닫는 {}";
    "outside of blocks" => "블록 밖";
    "in a {} block" => "{} 블록 안";

    // What to do.
    "comments must be on their own line" => "주석은 별도의 줄에 써야 합니다";
    "comments start with #, and each needs its own line" => "주석은 #으로 시작하며 각각 별도의 줄에 써야 합니다";
    "a file of comments alone would do" => "주석만 있는 파일이면 됩니다";
    "a byte of value 0: this is not a text file" => "값이 0인 바이트가 있습니다. 텍스트 파일이 아닙니다";
    "a carriage return within the line" => "줄 안에 캐리지 리턴이 있습니다";
    "the closing {} must be followed by a blank or the end of the line" => "닫는 {} 뒤에는 공백이나 줄 끝이 와야 합니다";
    "the text that starts with {} must end with {} in the same line" => "{}(으)로 시작한 텍스트는 같은 줄에서 {}(으)로 끝나야 합니다";
    "the text ended at the second {}; there is no way to escape it" => "텍스트가 두 번째 {}에서 끝났습니다. 이 문자를 텍스트 안에 쓸 방법은 없습니다";
    "a text with blanks needs quotes: {}" => "공백이 있는 텍스트는 따옴표로 묶어야 합니다: {}";
    "what stands in the block, and its closing brace, need their own lines" => "블록의 내용과 닫는 중괄호는 각각 별도의 줄에 써야 합니다";
    "a name with blanks needs quotes" => "공백이 있는 이름은 따옴표로 묶어야 합니다";
    "a name with blanks needs quotes; the last word must be an opening brace" => "공백이 있는 이름은 따옴표로 묶어야 하며, 마지막은 여는 중괄호여야 합니다";
    "the block needs a name" => "블록에 이름이 필요합니다";
    "the block needs a name and an opening brace" => "블록에 이름과 여는 중괄호가 필요합니다";
    "put a blank before the brace: {}" => "중괄호 앞에 공백을 넣으십시오: {}";
    "the opening brace belongs in the same line" => "여는 중괄호는 같은 줄에 써야 합니다";
    "the opening brace belongs in the line of the block's name" => "여는 중괄호는 블록 이름과 같은 줄에 써야 합니다";
    "put a blank on each side of the equal sign: {}" => "등호 양쪽에 공백을 넣으십시오: {}";
    "put a blank behind the equal sign: {}" => "등호 뒤에 공백을 넣으십시오: {}";
    "only spaces and tabs separate words; another white character is here" => "단어는 공백과 탭으로만 나눕니다. 여기에 다른 공백 문자가 있습니다";
    "the GUI of 0.8.x wrote this keyword; daemons never read it: remove the line" => "0.8.x의 GUI가 쓴 키워드이며 데몬은 읽지 않습니다. 이 줄을 지우십시오";
    "a brace stands alone" => "중괄호는 한 줄에 혼자 써야 합니다";
    "no block is open here: this brace is one too many" => "여기에는 열린 블록이 없습니다. 중괄호가 하나 많습니다";
    "the block opened in line {} is not closed" => "{}번째 줄에서 연 블록이 닫히지 않았습니다";
    "is a closing brace missing above? {} cannot stand here" => "위에 닫는 중괄호가 빠지지 않았습니까? {}은(는) 여기에 쓸 수 없습니다";
    "{} can only stand {told}" => "{}은(는) {told}에서만 쓸 수 있습니다";
    "{} cannot stand {told}" => "{}은(는) {told}에서 쓸 수 없습니다";
    "did you mean {}? values are lower case" => "{}을(를) 뜻하셨습니까? 값은 소문자로 씁니다";
    "did you mean {}?" => "{}을(를) 뜻하셨습니까?";
    "a value is given as {}" => "값은 다음과 같이 씁니다: {}";
    "{} needs an equal sign and a value" => "{}에 등호와 값이 필요합니다";
    "the device is missing: {}" => "장치가 빠졌습니다: {}";
    "an empty text is written {}" => "빈 텍스트는 다음과 같이 씁니다: {}";
    "remove the line to get the default" => "기본값을 쓰려면 이 줄을 지우십시오";
    "remove what stands behind the value" => "값 뒤에 있는 것을 지우십시오";
    "no semicolon ends a line" => "줄 끝에 세미콜론을 쓰지 않습니다";
    "the number must not be negative" => "숫자는 음수일 수 없습니다";
    "a number that starts with 0 is octal" => "0으로 시작하는 숫자는 8진수입니다";
    "numbers have no unit" => "숫자에 단위를 쓰지 않습니다";
    "only whole numbers are possible" => "정수만 쓸 수 있습니다";
    "IPv6 addresses cannot be used here" => "여기에는 IPv6 주소를 쓸 수 없습니다";
    "an address has no prefix length; masks have keywords of their own" => "주소에 프리픽스 길이를 쓰지 않습니다. 마스크에는 별도의 키워드가 있습니다";
    "an IPv4 address is four numbers up to 255 with dots between" => "IPv4 주소는 255 이하의 숫자 네 개를 점으로 이은 것입니다";
    "{} is not a mask: its ones do not stand together" => "{}은(는) 마스크가 아닙니다. 1인 비트가 이어져 있지 않습니다";
    "a device name is plain text" => "장치 이름은 일반 텍스트여야 합니다";
    "the text would not mean what was asked" => "기록할 내용이 요청한 뜻과 달라집니다";
    "write 1 for yes" => "예는 1로 쓰십시오";
    "write 0 for no" => "아니오는 0으로 쓰십시오";
    "write the service's port above its servers" => "서비스의 port를 서버 블록보다 위에 쓰십시오";
    "write {}" => "다음과 같이 쓰십시오: {}";

    // Warnings about the text.
    "the file starts with a byte-order mark, which is skipped" => "파일이 바이트 순서 표시(BOM)로 시작하며, 이는 건너뜁니다";
    "original daemons refuse such a file" => "원본 데몬은 이런 파일을 거부합니다";
    "lines end in CR LF, which counts as LF" => "줄이 CR LF로 끝나며 LF로 봅니다";
    "original daemons read only the first line of such a file" => "원본 데몬은 이런 파일의 첫 줄만 읽습니다";
    "lines end in CR, which counts as LF" => "줄이 CR로 끝나며 LF로 봅니다";
    "original daemons read the quotes of this line otherwise" => "원본 데몬은 이 줄의 따옴표를 다르게 읽습니다";
    "they want a word without blanks bare, or its quote at the end of the line" => "공백이 없는 단어는 따옴표 없이 쓰거나 닫는 따옴표를 줄 끝에 두어야 합니다";
    "{} is given again; only this last value counts" => "{}이(가) 다시 나왔습니다. 마지막 값만 씁니다";
    "remove one of the two lines" => "두 줄 가운데 하나를 지우십시오";
    "{} is in single quotes, which are not part of the text" => "{}이(가) 작은따옴표로 묶여 있으며, 이는 텍스트에 포함되지 않습니다";
    "original daemons hand them on to the checker: use double quotes" => "원본 데몬은 이를 점검 프로그램에 그대로 넘깁니다. 큰따옴표를 쓰십시오";
    "{} is not known to original daemons, which refuse the file" => "{}은(는) 원본 데몬이 모르는 키워드이며, 원본 데몬은 이 파일을 거부합니다";
    "use it only when both routers run this program" => "두 라우터가 모두 이 프로그램을 쓸 때만 사용하십시오";
    "server {} takes port {}; the original would take {}" => "서버 {}은(는) 포트 {}을(를) 씁니다. 원본은 {}을(를) 씁니다";

    // Warnings about the pair.
    "a partner is given up after {} of silence, and heartbeats come every {}" => "상대 라우터가 {} 동안 조용하면 죽은 것으로 보며, 하트비트 간격은 {}입니다";
    "deadtime must be above keepalive, or the pair never comes to rest" => "deadtime은 keepalive보다 커야 합니다. 그렇지 않으면 라우터 쌍이 안정되지 않습니다";
    "with deadtime at three times keepalive, a lost packet or two do no harm" => "deadtime이 keepalive의 세 배이면 패킷을 한두 개 잃어도 문제가 없습니다";
    "keepalive = 0 counts as 1 second" => "keepalive = 0은 1초로 봅니다";
    "original daemons send without pause" => "원본 데몬은 쉬지 않고 보냅니다";
    "heartbeat_auth has no effect without heartbeat_key" => "heartbeat_key가 없으면 heartbeat_auth는 효과가 없습니다";
    "heartbeat_port = 0 lets the kernel choose a port" => "heartbeat_port = 0이면 커널이 포트를 고릅니다";
    "the partner cannot know it; the default is {}" => "상대 라우터는 그 포트를 알 수 없습니다. 기본값은 {}입니다";
    "of syncd_id = {} the kernel uses the low 8 bits: {}" => "커널은 syncd_id = {}의 하위 8비트만 씁니다: {}";
    "neither primary nor backup is given: pulse refuses to start" => "primary와 backup이 모두 없어 pulse가 시작되지 않습니다";
    "no primary is given: the backup has no partner" => "primary가 없어 예비 라우터에 상대 라우터가 없습니다";
    "backup_active = 1 without the address of a backup counts as 0" => "예비 라우터의 주소가 없으므로 backup_active = 1을 0으로 봅니다";
    "primary and backup are the same router" => "primary와 backup이 같은 라우터입니다";
    "backup_private is missing: the public address of the backup is used" => "backup_private가 없어 예비 라우터의 공용 주소를 씁니다";
    "original daemons would send to {}" => "원본 데몬은 {}(으)로 보냅니다";
    "primary_private is missing: both private addresses are not used" => "primary_private가 없어 두 사설 주소를 모두 쓰지 않습니다";
    "failover services are not supported: pulse refuses to start" => "장애 조치(failover) 서비스는 지원하지 않으며 pulse가 시작되지 않습니다";
    "{} blocks have no effect with service = {}" => "{} 블록은 service = {}에서 효과가 없습니다";
    "no active {} services are defined: pulse refuses to start" => "사용하는 {} 서비스가 없어 pulse가 시작되지 않습니다";
    "a block needs active = 1" => "블록에 active = 1이 필요합니다";
    "there is another {} named {}; both count" => "{} 블록 {}이(가) 또 있습니다. 둘 다 씁니다";
    "there is another {}" => "{} 이름이 이미 있습니다";
    "there is no {}" => "{}이(가) 없습니다";

    // Warnings about services.
    "service {} is active but has no address" => "서비스 {}을(를) 사용하지만 주소가 없습니다";
    "server {} is active but has no address" => "서버 {}을(를) 사용하지만 주소가 없습니다";
    "pmask has no effect without persistent" => "persistent가 없으면 pmask는 효과가 없습니다";
    "service {} is UDP and has no send_program" => "서비스 {}은(는) UDP인데 send_program이 없습니다";
    "the built-in check sends a datagram and waits for any answer; a program can ask the service itself" => "내장 점검은 데이터그램을 보내고 아무 응답이나 기다립니다. 프로그램은 서비스에 직접 물을 수 있습니다";
    "port 0 stands for all ports, which needs persistent" => "포트 0은 모든 포트를 뜻하며 persistent가 필요합니다";
    "{} has a backslash that starts no known sequence" => "{}에 알 수 없는 백슬래시 표기가 있습니다";
    "a backslash itself is written {}; known are {}" => "백슬래시 자체는 {}(으)로 씁니다. 쓸 수 있는 표기: {}";
    "{} has no effect in a {} block" => "{}은(는) {} 블록에서 효과가 없습니다";
    "servers have no effect in a failover block" => "서버는 failover 블록에서 효과가 없습니다";
    "{} has no effect with network = {}" => "{}은(는) network = {}에서 효과가 없습니다";
    "service {} has no active server" => "서비스 {}에 사용하는 서버가 없습니다";
    "a server needs active = 1" => "서버에 active = 1이 필요합니다";
    "server {} has the address and port of another server of this service" => "서버 {}의 주소와 포트가 이 서비스의 다른 서버와 같습니다";
    "the kernel keeps one" => "커널은 하나만 둡니다";
    "the sorry server is one of the servers that it stands in for" => "사과 서버가 그것이 대신하는 서버 가운데 하나입니다";
    "server {} is active with weight 0" => "서버 {}을(를) 사용하지만 가중치가 0입니다";
    "it gets no new connections; active = 0 takes it out" => "새 연결을 받지 않습니다. 빼려면 active = 0을 쓰십시오";
    "network = {} cannot change port {} to {}; only the check uses {}" => "network = {}은(는) 포트 {}을(를) {}(으)로 바꿀 수 없습니다. 점검만 {}을(를) 씁니다";
    "only network = nat changes ports" => "network = nat만 포트를 바꿉니다";
    "{} is a router's own address" => "{}은(는) 라우터 자신의 주소입니다";
    "a VIP moves between the routers" => "VIP는 두 라우터 사이를 옮겨 다닙니다";
    "{} has another device or mask in service {}, which counts" => "{}의 장치나 마스크가 서비스 {}에서 다르며, 그쪽을 씁니다";
    "{} is the alias of another address as well" => "{}은(는) 다른 주소의 별칭이기도 합니다";
    "each address needs its own alias number" => "주소마다 별도의 별칭 번호가 필요합니다";
    "{} is not an alias" => "{}은(는) 별칭이 아닙니다";
    "original daemons replace the interface's own address: write DEVICE:NUMBER" => "원본 데몬은 인터페이스 자신의 주소를 바꿉니다. DEVICE:NUMBER로 쓰십시오";
    "{} is longer than {} bytes" => "{}은(는) {}바이트보다 깁니다";
    "the address is added without this label" => "주소를 이 이름표 없이 추가합니다";
    "firewall mark {} is that of service {} too" => "방화벽 마크 {}은(는) 서비스 {}의 마크이기도 합니다";
    "the kernel has one service for a mark; one block is enough" => "커널에는 마크마다 서비스가 하나입니다. 블록 하나면 됩니다";
    "service {} has the protocol, address and port of service {}" => "서비스 {}의 프로토콜, 주소, 포트가 서비스 {}와(과) 같습니다";
    "the kernel has one service for them" => "커널에는 그에 대한 서비스가 하나입니다";
}
