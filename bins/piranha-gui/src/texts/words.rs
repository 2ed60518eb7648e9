//! Single words by which programs name states, verdicts and acts.

/// English and Korean.
pub(super) static WORDS: super::told::Table = &[
    // What a partner or a heartbeat path is heard to be.
    ("running", "서비스 중"),
    ("stopped", "서비스하지 않음"),
    ("stopme", "중지 요청(stopme)"),
    ("hold", "예약된 신호(hold)"),
    ("held", "예약된 신호(held)"),
    ("alive", "정상"),
    ("silent", "응답 없음"),
    ("recovering", "회복 중"),
    ("public", "공용(public)"),
    ("private", "사설(private)"),
    // Phases of pulse and lvs.
    ("active", "활성"),
    ("standby", "대기"),
    ("activating", "활성화 중"),
    ("leaving", "넘기는 중"),
    ("relaying", "전달 중"),
    ("waiting", "지시를 기다림"),
    // Verdicts.
    ("up", "정상"),
    ("down", "다운"),
    ("unknown", "알 수 없음"),
    // Acts in the log of changes.
    ("apply", "적용"),
    ("undo", "되돌리기"),
    ("drain", "비우기"),
    ("enable", "다시 사용"),
    ("hand-over", "활성 역할 넘기기"),
    ("reload", "다시 읽기"),
    ("send", "상대 라우터로 보내기"),
    ("receive", "상대 라우터에서 받기"),
    // Choices of fields.
    ("Direct Routing", "직접 라우팅(Direct Routing)"),
    ("Tunneling", "터널링(Tunneling)"),
    ("Round robin", "라운드 로빈(rr)"),
    ("Weighted least-connections", "가중 최소 연결(wlc)"),
    ("Weighted round robin", "가중 라운드 로빈(wrr)"),
    ("Least-connection", "최소 연결(lc)"),
    (
        "Locality-Based Least-Connection Scheduling",
        "지역성 기반 최소 연결(lblc)",
    ),
    (
        "Locality-Based Least-Connection Scheduling (R)",
        "복제가 있는 지역성 기반 최소 연결(lblcr)",
    ),
    ("Destination Hash Scheduling", "목적지 해시(dh)"),
    ("Source Hash Scheduling", "출발지 해시(sh)"),
    // How long a server is drained.
    ("15 min", "15분"),
    ("1 h", "1시간"),
    ("4 h", "4시간"),
    ("24 h", "24시간"),
    ("7 d", "7일"),
];
