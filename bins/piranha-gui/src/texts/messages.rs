//! What the applier and the library of lvs.cf say, in Korean: patterns with `{}` for what varies.
//!
//! A message that is not here stays in English: better that than none.

use crate::visitor::Language;

/// English and Korean, the special before the general; what varies stands in the same order.
static MESSAGES: &[(&str, &str)] = &[
    // Of fields.
    (
        "must be a number from {} to {}",
        "{}부터 {}까지의 숫자여야 합니다",
    ),
    (
        "must be an IPv4 address such as {}, or a host name",
        "IPv4 주소(예: {}) 또는 호스트 이름이어야 합니다",
    ),
    (
        "must be an address and a device, such as {}",
        "주소와 장치여야 합니다(예: {})",
    ),
    (
        "must be the name of a device such as {}, at most {} characters",
        "장치 이름(예: {})이어야 하며 최대 {}자입니다",
    ),
    (
        "must be one line of printable characters, not {}",
        "출력할 수 있는 문자로 된 한 줄이어야 합니다. 쓸 수 없는 문자: {}",
    ),
    ("longer than {} bytes", "{}바이트보다 깁니다"),
    ("a name is needed", "이름이 필요합니다"),
    (
        "a name must not contain {}: no blanks, braces, quotes, slashes, # or =",
        "이름에 {} 문자를 쓸 수 없습니다(공백, 중괄호, 따옴표, 슬래시, #, = 불가)",
    ),
    ("there is another {}", "{} 이름이 이미 있습니다"),
    ("there is no {}", "{}이(가) 없습니다"),
    ("is counted by itself", "자동으로 매겨집니다"),
    ("{}; expected {}", "{}. 필요한 값: {}"),
    ("a whole number from {} to {}", "{}부터 {}까지의 정수"),
    (
        "a port number from {} to {} or the name of a TCP service",
        "{}부터 {}까지의 포트 번호 또는 TCP 서비스 이름",
    ),
    ("a subnet mask, as {}", "서브넷 마스크(예: {})"),
    ("one of {}", "다음 중 하나: {}"),
    (
        "up to {} IPv4 addresses or host names, together in quotes",
        "따옴표로 묶은 최대 {}개의 IPv4 주소 또는 호스트 이름",
    ),
    (
        "some fields cannot be taken",
        "일부 항목을 받을 수 없습니다",
    ),
    (
        "the new text is not a right lvs.cf",
        "새 내용이 올바른 lvs.cf가 아닙니다",
    ),
    (
        "lvs.cf would be longer than {} KiB",
        "lvs.cf가 {} KiB보다 길어집니다",
    ),
    // Of the daemons.
    (
        "the configuration was read again; {}",
        "설정을 다시 읽었습니다. {}",
    ),
    ("the configuration was read again", "설정을 다시 읽었습니다"),
    (
        "{} changed: restart pulse to follow that",
        "{}이(가) 바뀌었습니다. 적용하려면 pulse를 다시 시작하십시오",
    ),
    (
        "{}; the old configuration stays in force",
        "{}. 이전 설정을 그대로 씁니다",
    ),
    (
        "lvs refuses the configuration: {}",
        "lvs가 설정을 거부했습니다: {}",
    ),
    ("written; {}", "기록했습니다. {}"),
    (
        "{} is not running here",
        "이 라우터에서 {}이(가) 실행되지 않습니다",
    ),
    (
        "{} did not answer in time",
        "{}이(가) 제때 응답하지 않았습니다",
    ),
    ("{} does not answer: {}", "{}이(가) 응답하지 않습니다: {}"),
    ("drained", "비우는 중입니다"),
    ("enabled", "다시 사용합니다"),
    ("this router is not active", "이 라우터는 활성이 아닙니다"),
    (
        "handed over: the partner is active",
        "넘겼습니다. 상대 라우터가 활성입니다",
    ),
    (
        "not handed over: no partner could take over, or it did not",
        "넘기지 못했습니다. 넘겨받을 수 있는 상대 라우터가 없거나 넘겨받지 않았습니다",
    ),
    // Of the applier.
    ("nothing was changed: {}", "아무것도 바뀌지 않았습니다: {}"),
    ("nothing was done: {}", "아무것도 하지 않았습니다: {}"),
    (
        "there is no version {} any more",
        "버전 {}이(가) 더 이상 없습니다",
    ),
    (
        "the partner is not reached: the option {} is not set",
        "상대 라우터에 연결하지 않습니다. {} 옵션이 없습니다",
    ),
    (
        "the partner is not reached: lvs.cf has errors: {}",
        "상대 라우터에 연결하지 않습니다. lvs.cf에 오류가 있습니다: {}",
    ),
    (
        "the partner is reached only with {} in lvs.cf",
        "상대 라우터에는 lvs.cf에 {}이(가) 있을 때만 연결합니다",
    ),
    (
        "pulse knows no partner",
        "pulse가 아는 상대 라우터가 없습니다",
    ),
    (
        "the partner is not known: {}",
        "상대 라우터를 알 수 없습니다: {}",
    ),
    (
        "the partner did not take the file: {}",
        "상대 라우터가 파일을 받지 않았습니다: {}",
    ),
];

/// The message for people of this language.
pub(crate) fn told(language: Language, message: &str) -> String {
    match language {
        Language::English => message.to_owned(),
        Language::Korean => korean(message),
    }
}

fn korean(message: &str) -> String {
    let found = MESSAGES
        .iter()
        .find_map(|(english, korean)| Some((varying(english, message)?, *korean)));
    let Some((varying, text)) = found else {
        return message.to_owned();
    };
    let mut varying = varying.into_iter().map(korean);
    let mut pieces = text.split("{}");
    let mut told = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        told += &varying.next().unwrap_or_default();
        told += piece;
    }
    told
}

/// What stands at the places of `{}`, if the message is made from the pattern.
fn varying<'m>(pattern: &str, message: &'m str) -> Option<Vec<&'m str>> {
    let Some((first, rest)) = pattern.split_once("{}") else {
        return (pattern == message).then(Vec::new);
    };
    let mut message = message.strip_prefix(first)?;
    let mut found = Vec::new();
    let pieces: Vec<&str> = rest.split("{}").collect();
    let (last, between) = pieces.split_last()?;
    for piece in between {
        let (value, after) = message.split_once(piece)?;
        found.push(value);
        message = after;
    }
    found.push(message.strip_suffix(last)?);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lvs_config::Level;

    fn is_korean(text: &str) -> bool {
        text.chars().any(|c| ('가'..='힣').contains(&c))
    }

    #[test]
    fn r22_what_fields_refuse_is_said_in_korean() {
        let long = "x".repeat(2000);
        let names = ["", "a b", &long].map(change::refuse_name);
        let values = [
            (Level::Virtual, "port", "0"),
            (Level::Virtual, "address", "192.0.2.80"),
            (Level::Virtual, "address", "192.0.2.80 eth0;"),
            (Level::Global, "primary", "192.0.2.300"),
            (Level::Global, "primary", "a\nb"),
            (Level::Virtual, "send", &long),
        ]
        .map(|(level, keyword, value)| change::refuse_value(level, keyword, value));
        for message in names.into_iter().chain(values) {
            let message = message.unwrap();
            let korean = told(Language::Korean, &message);
            assert!(
                is_korean(&korean) && !korean.contains("{}"),
                "{message}: {korean}"
            );
            assert_eq!(told(Language::English, &message), message);
        }
    }

    #[test]
    fn parts_are_told_too_and_strange_messages_stay() {
        let message = "written; pulse is not running here";
        let expected = "기록했습니다. 이 라우터에서 pulse이(가) 실행되지 않습니다";
        assert_eq!(told(Language::Korean, message), expected);
        let message = "the partner is not reached: lvs.cf has errors: line 3: x";
        let expected = "상대 라우터에 연결하지 않습니다. lvs.cf에 오류가 있습니다: line 3: x";
        assert_eq!(told(Language::Korean, message), expected);
        let strange = "disk on fire";
        assert_eq!(told(Language::Korean, strange), strange);
    }

    #[test]
    fn both_sides_have_the_same_places() {
        for (english, korean) in MESSAGES {
            let places = |text: &str| text.matches("{}").count();
            assert_eq!(places(english), places(korean), "{english}");
            assert!(is_korean(korean), "{english}");
        }
    }
}
