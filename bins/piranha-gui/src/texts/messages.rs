//! What the applier says, what it refuses, and what a change does.

use super::told::table;

table! {
    // Of fields.
    "must be a number from {} to {}" => "{}부터 {}까지의 숫자여야 합니다";
    "must be an IPv4 address such as {}, or a host name" => "IPv4 주소(예: {}) 또는 호스트 이름이어야 합니다";
    "must be an address and a device, such as {}" => "주소와 장치여야 합니다(예: {})";
    "must be the name of a device such as {}, at most {} characters" => "장치 이름(예: {})이어야 하며 최대 {}자입니다";
    "must be one line of printable characters, not {}" => "출력할 수 있는 문자로 된 한 줄이어야 합니다. 쓸 수 없는 문자: {}";
    "longer than {} bytes" => "{}바이트보다 깁니다";
    "a name is needed" => "이름이 필요합니다";
    "a name must not contain {}: no blanks, braces, quotes, slashes, # or =" => "이름에 {} 문자를 쓸 수 없습니다(공백, 중괄호, 따옴표, 슬래시, #, = 불가)";
    "is counted by itself" => "자동으로 매겨집니다";
    "some fields cannot be taken" => "일부 항목을 받을 수 없습니다";
    "the new text is not a right lvs.cf" => "새 내용이 올바른 lvs.cf가 아닙니다";
    "lvs.cf would be longer than {} KiB" => "lvs.cf가 {} KiB보다 길어집니다";

    // Of programs.
    "the change would have programs run that may not be named from here" => "여기에서 지정할 수 없는 프로그램을 실행하게 되는 변경입니다";
    "must consist of plain words, without {}" => "일반 단어로만 써야 합니다. 쓸 수 없는 문자: {}";
    "{} must consist of plain words, without {}" => "{}: 일반 단어로만 써야 합니다. 쓸 수 없는 문자: {}";
    "{} must begin with the full path of a program" => "{}: 프로그램의 전체 경로로 시작해야 합니다";
    "{} is new, and programs can be named only in the file itself" => "{}: 새 프로그램이며, 프로그램은 파일에서 직접 지정해야 합니다";
    "{} can be named only in the file itself" => "{}: 파일에서 직접 지정해야 합니다";
    "{} is not below a folder of allowed programs" => "{}: 허용된 프로그램 폴더 아래에 있지 않습니다";
    "{} is not a program" => "{}: 프로그램이 아닙니다";
    "{} is not UTF-8" => "{}: UTF-8이 아닙니다";
    "{} can be changed by others than root: see {}" => "{}: root가 아닌 사용자가 바꿀 수 있습니다. 확인할 곳: {}";
    "{} cannot be found: {told}" => "{}: 찾을 수 없습니다: {told}";
    "{} cannot be examined: {}: {told}" => "{}: 확인할 수 없습니다: {}: {told}";

    // Of the applier.
    "written; {told}" => "기록했습니다. {told}";
    "nothing was changed: {told}" => "아무것도 바뀌지 않았습니다: {told}";
    "nothing was done: {told}" => "아무것도 하지 않았습니다: {told}";
    "the log of changes cannot be opened: {told}" => "변경 로그를 열 수 없습니다: {told}";
    "no log of changes: {told}" => "변경 로그를 쓸 수 없습니다: {told}";
    "the old version cannot be kept: {told}" => "이전 버전을 보관할 수 없습니다: {told}";
    "cannot lock {}: {told}" => "{}을(를) 잠글 수 없습니다: {told}";
    "there is no version {} any more" => "버전 {}이(가) 더 이상 없습니다";
    "there is no version {}" => "버전 {}이(가) 없습니다";
    "too many connections, try again" => "연결이 너무 많습니다. 다시 시도하십시오";
    "the request is too long" => "요청이 너무 깁니다";
    "not a request: {}" => "올바른 요청이 아닙니다: {}";
    "no answer within {} s" => "{}초 안에 응답이 없습니다";
    "an answer that this version does not understand: {told}" => "이 버전이 이해할 수 없는 응답입니다: {told}";
    "it answered something else" => "다른 응답을 보냈습니다";
    "piranha-applier answered something else" => "piranha-applier가 다른 응답을 보냈습니다";
    "piranha-applier: {told}" => "piranha-applier의 응답이 없습니다: {told}";

    // Of the partner.
    "the partner is not reached: the option {} is not set" => "상대 라우터에 연결하지 않습니다. {} 옵션이 없습니다";
    "the partner is not reached: lvs.cf has errors: {told}" => "상대 라우터에 연결하지 않습니다. lvs.cf에 오류가 있습니다: {told}";
    "the partner is reached only with {} in lvs.cf" => "상대 라우터에는 lvs.cf에 {}이(가) 있을 때만 연결합니다";
    "pulse knows no partner" => "pulse가 아는 상대 라우터가 없습니다";
    "the partner is not known: {told}" => "상대 라우터를 알 수 없습니다: {told}";
    "the partner did not take the file: {told}" => "상대 라우터가 파일을 받지 않았습니다: {told}";
    "the partner took the file without an answer" => "상대 라우터가 파일을 받았으나 응답하지 않았습니다";
    "{} of the partner: {told}" => "상대 라우터의 {}: {told}";
    "not understood: {told}" => "이해할 수 없는 응답입니다: {told}";
    "it is not reached" => "연결하지 않습니다";
    "no end within {} s" => "{}초 안에 끝나지 않았습니다";
    "cannot run {}: {told}" => "{}을(를) 실행할 수 없습니다: {told}";
    "the file did not arrive: {told}" => "파일이 도착하지 않았습니다: {told}";
    "the file did not arrive as it was sent" => "파일이 보낸 그대로 도착하지 않았습니다";
    "what arrived was not sent by piranha-applier: {told}" => "도착한 내용은 piranha-applier가 보낸 것이 아닙니다: {told}";
    "not a right lvs.cf: {told}" => "올바른 lvs.cf가 아닙니다: {told}";
    "lvs.cf is the same already (serial_no {})" => "lvs.cf가 이미 같습니다(serial_no {})";
    "lvs.cf here is newer: serial_no {}, not {}" => "상대 라우터의 lvs.cf가 더 새것입니다. serial_no {} (보낸 것은 {})";
    "lvs.cf taken over (serial_no {}): {told}" => "lvs.cf를 받았습니다(serial_no {}): {told}";

    // Of files.
    "failed to open {}: {told}" => "{}을(를) 열 수 없습니다: {told}";
    "failed to read {}: larger than {} bytes" => "{}을(를) 읽을 수 없습니다. {}바이트보다 큽니다";
    "failed to read {}: {told}" => "{}을(를) 읽을 수 없습니다: {told}";
    "failed to write {}: {told}" => "{}에 쓸 수 없습니다: {told}";
    "cannot write {}: {told}" => "{}에 쓸 수 없습니다: {told}";
    "{} has been changed meanwhile" => "{}이(가) 그 사이에 변경되었습니다";
    "{}: {told} at line {} column {}" => "{}: {told} ({}번째 줄, {}번째 문자)";
    "{told} at line {} column {}" => "{told} ({}번째 줄, {}번째 문자)";
    "EOF while parsing a string" => "문자열 중간에서 끝났습니다";
    "EOF while parsing an object" => "객체 중간에서 끝났습니다";
    "EOF while parsing a list" => "목록 중간에서 끝났습니다";
    "EOF while parsing a value" => "값이 없이 끝났습니다";
    "expected value" => "값이 필요합니다";
    "expected ident" => "값이 필요합니다";
    "expected {}" => "{}이(가) 필요합니다";
    "key must be a string" => "키는 문자열이어야 합니다";
    "trailing characters" => "뒤에 불필요한 문자가 있습니다";
    "invalid type: {}, expected {}" => "형식이 다릅니다. 받은 값: {}, 필요한 형식: {}";
    "missing field {}" => "{} 항목이 없습니다";

    // What a change does.
    "+ address {}" => "+ 주소 {}";
    "- address {}" => "- 주소 {}";
    "~ address {}" => "~ 주소 {}";
    "+ service {}" => "+ 서비스 {}";
    "- service {}" => "- 서비스 {}";
    "~ service {}" => "~ 서비스 {}";
    "+ server {}" => "+ 서버 {}";
    "- server {}" => "- 서버 {}";
    "~ server {}" => "~ 서버 {}";
    "~ {}: nothing -> {} (needs a restart of pulse)" => "~ {}: 없음 -> {} (pulse를 다시 시작해야 적용됩니다)";
    "~ {}: {} -> nothing (needs a restart of pulse)" => "~ {}: {} -> 없음 (pulse를 다시 시작해야 적용됩니다)";
    "~ {}: {} -> {} (needs a restart of pulse)" => "~ {}: {} -> {} (pulse를 다시 시작해야 적용됩니다)";
    "~ {}: nothing -> {}" => "~ {}: 없음 -> {}";
    "~ {}: {} -> nothing" => "~ {}: {} -> 없음";

    // What an act was about.
    "version {}" => "버전 {}";
    "{} for {} s" => "{} ({}초 동안)";
    "{} until it is enabled" => "{} (다시 사용할 때까지)";
}
