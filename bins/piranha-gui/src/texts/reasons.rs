//! Why a check failed, and what the system says.

use super::told::table;

table! {
    // Of checks.
    "refused" => "연결이 거부되었습니다";
    "timed out after {} while making a socket, got {}" => "소켓을 만드는 중 {} 뒤 시간이 초과되었습니다. 받은 내용: {}";
    "timed out after {} while making a socket" => "소켓을 만드는 중 {} 뒤 시간이 초과되었습니다";
    "timed out after {} while connecting, got {}" => "연결하는 중 {} 뒤 시간이 초과되었습니다. 받은 내용: {}";
    "timed out after {} while connecting" => "연결하는 중 {} 뒤 시간이 초과되었습니다";
    "timed out after {} while writing, got {}" => "보내는 중 {} 뒤 시간이 초과되었습니다. 받은 내용: {}";
    "timed out after {} while writing" => "보내는 중 {} 뒤 시간이 초과되었습니다";
    "timed out after {} while reading, got {}" => "응답을 기다리는 중 {} 뒤 시간이 초과되었습니다. 받은 내용: {}";
    "timed out after {} while reading" => "응답을 기다리는 중 {} 뒤 시간이 초과되었습니다";
    "timed out after {} while running the program, got {}" => "프로그램을 실행하는 중 {} 뒤 시간이 초과되었습니다. 받은 내용: {}";
    "timed out after {} while running the program" => "프로그램을 실행하는 중 {} 뒤 시간이 초과되었습니다";
    "closed without an answer instead of {}" => "응답 없이 연결이 닫혔습니다. 기대한 값: {}";
    "closed after {} instead of {}" => "{}을(를) 받은 뒤 연결이 닫혔습니다. 기대한 값: {}";
    "got {} though nothing is expected" => "기대한 값이 없는데 {}을(를) 받았습니다";
    "got {} instead of {}" => "{}을(를) 받았습니다. 기대한 값: {}";
    "{told} while making a socket" => "소켓을 만드는 중 오류가 발생했습니다: {told}";
    "{told} while connecting" => "연결하는 중 오류가 발생했습니다: {told}";
    "{told} while writing" => "보내는 중 오류가 발생했습니다: {told}";
    "{told} while reading" => "응답을 기다리는 중 오류가 발생했습니다: {told}";
    "{told} while running the program" => "프로그램을 실행하는 중 오류가 발생했습니다: {told}";
    "bad regular expression: {}" => "정규식이 올바르지 않습니다: {}";
    "no program to run" => "실행할 프로그램이 없습니다";
    "exit status {}" => "종료 상태 {}";
    "killed by signal {}" => "시그널 {}(으)로 종료되었습니다";
    "neither output nor an expected string" => "출력도 없고 기대한 문자열도 없습니다";
    "forced down by signal" => "시그널로 강제로 내렸습니다";
    "checker stopped" => "점검 프로그램이 중지되었습니다";

    // Of the system.
    "{told} (os error {})" => "{told} (시스템 오류 {})";
    "Connection refused" => "연결이 거부되었습니다";
    "connection refused" => "연결이 거부되었습니다";
    "Connection reset by peer" => "상대가 연결을 끊었습니다";
    "Connection timed out" => "연결 시간이 초과되었습니다";
    "Software caused connection abort" => "연결이 중단되었습니다";
    "Broken pipe" => "연결이 끊겼습니다";
    "No route to host" => "호스트로 가는 경로가 없습니다";
    "no route to host" => "호스트로 가는 경로가 없습니다";
    "Network is unreachable" => "네트워크에 연결할 수 없습니다";
    "Network is down" => "네트워크가 내려가 있습니다";
    "Host is down" => "호스트가 내려가 있습니다";
    "Can't assign requested address" => "요청한 주소를 쓸 수 없습니다";
    "Cannot assign requested address" => "요청한 주소를 쓸 수 없습니다";
    "Address already in use" => "주소를 이미 쓰고 있습니다";
    "No such file or directory" => "그런 파일이나 디렉터리가 없습니다";
    "No such device" => "그런 장치가 없습니다";
    "No such process" => "그런 프로세스가 없습니다";
    "Is a directory" => "디렉터리입니다";
    "Not a directory" => "디렉터리가 아닙니다";
    "Permission denied" => "권한이 없습니다";
    "Operation not permitted" => "허용되지 않은 작업입니다";
    "Exec format error" => "실행할 수 있는 형식이 아닙니다";
    "Too many open files" => "열린 파일이 너무 많습니다";
    "No space left on device" => "장치에 남은 공간이 없습니다";
    "Read-only file system" => "읽기 전용 파일 시스템입니다";
    "Cannot allocate memory" => "메모리를 할당할 수 없습니다";
    "Out of memory" => "메모리가 부족합니다";
    "Try again" => "다시 시도해야 합니다";
    "Resource temporarily unavailable" => "자원을 일시적으로 쓸 수 없습니다";
    "unexpected end of file" => "예상하지 못한 곳에서 끝났습니다";
}
