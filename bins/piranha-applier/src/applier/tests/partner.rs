//! What comes from the partner and goes to it (R20).

use super::*;
use crate::partner::Header;
use crate::receive::receive;

fn sent(text: &str) -> Vec<u8> {
    let header = Header {
        origin: origin(),
        digest: digest(text.as_bytes()),
    };
    [
        &serde_json::to_vec(&header).unwrap(),
        b"\n".as_slice(),
        text.as_bytes(),
    ]
    .concat()
}

#[test]
fn r20_a_file_from_the_partner_is_taken_over_unless_it_is_older_or_wrong() {
    let world = World::new();
    let receive = |input: &[u8]| receive(&world.applier, &mut &*input);
    let newer = FILE.replace("serial_no = 7", "serial_no = 9");
    let cut = sent(&newer);
    let cut = &cut[..cut.len() - 5];
    let older = FILE.replace("serial_no = 7", "serial_no = 6");
    for wrong in [
        &sent("nonsense\n"),
        cut,
        &sent(&older),
        b"",
        b"{}\n",
        FILE.as_bytes(),
    ] {
        assert!(
            receive(wrong).is_err(),
            "{}",
            String::from_utf8_lossy(wrong)
        );
        assert_eq!(world.text(), FILE);
    }
    assert!(receive(&sent(FILE)).unwrap().contains("same already"));
    receive(&sent(&newer)).unwrap();
    assert_eq!(world.text(), newer);
    assert_eq!(world.versions()[0].serial, 7);
    assert_eq!(world.audit()[0].act, "receive");
}

/// `ssh` is a program that does on this machine what the partner's would, and shows its arguments.
#[test]
fn r20_the_file_goes_to_the_partner_by_ssh_without_a_shell() {
    let ssh = tempfile::tempdir().unwrap();
    let program = ssh.path().join("ssh");
    let kept = ssh.path().join("kept");
    let script = format!(
        "#!/bin/sh\necho \"$@\" > {0}.args\ncat > {0}\necho taken over\n",
        kept.display()
    );
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let request = || Request::SendToPartner { origin: origin() };

    let forbidden = World::new();
    assert!(matches!(
        forbidden.applier.answer(request()),
        Reply::Error { .. }
    ));
    let world = World::with(|settings| settings.ssh = Some(program));
    // Without pulse it is not known who the partner is.
    assert!(matches!(
        world.applier.answer(request()),
        Reply::Error { .. }
    ));
    let _asked = daemon(
        &world.folder.path().join("pulse.sock"),
        r#"{"configuration":{"serial_no":7,"digest":"00ff"},"partner":{"address":"10.0.0.2","configuration":{"serial_no":6,"digest":"00aa"}}}"#,
    );
    let Reply::Partner(partner) = world.applier.answer(Request::Partner) else {
        panic!("no comparison");
    };
    assert_eq!(partner.partner.unwrap().serial, 6);
    assert_eq!(partner.own.serial, 7);
    assert!(partner.can_send.done);
    let reply = world.applier.answer(request());
    let outcome = Outcome {
        done: true,
        text: "taken over".to_owned(),
    };
    assert_eq!(reply, Reply::Done(outcome));
    assert_eq!(std::fs::read(&kept).unwrap(), sent(FILE));
    let args = std::fs::read_to_string(kept.with_extension("args")).unwrap();
    let expected = "-T -oBatchMode=yes -oConnectTimeout=10 -- 10.0.0.2 piranha-applier --receive\n";
    assert_eq!(args, expected);
}

/// `ssh` answers as the pulse of a standby does, exit status included; lvs does not run there.
#[test]
fn the_state_of_a_standby_partner_comes_by_ssh_without_a_shell() {
    let ssh = tempfile::tempdir().unwrap();
    let program = ssh.path().join("ssh");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {}/args\ncase $* in\n*pulse*) echo '{{\"phase\":\"standby\"}}'; exit 3;;\n\
         *) echo 'lvs does not run' >&2; exit 1;;\nesac\n",
        ssh.path().display()
    );
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let forbidden = World::new().applier.answer(Request::PartnerStatus);
    let Reply::Error { message } = forbidden else {
        panic!("{forbidden:?}");
    };
    assert!(message.contains("--send-to-partner"), "{message}");
    let world = World::with(|settings| settings.ssh = Some(program));
    let _asked = daemon(
        &world.folder.path().join("pulse.sock"),
        r#"{"partner":{"address":"10.0.0.2"}}"#,
    );
    let Reply::Status { pulse, lvs } = world.applier.answer(Request::PartnerStatus) else {
        panic!("no state");
    };
    let standby = serde_json::json!({"phase": "standby"});
    assert_eq!(pulse, Said::Status(standby));
    let why = "lvsd of the partner: lvs does not run".to_owned();
    assert_eq!(lvs, Said::Silent(why));
    let args = std::fs::read_to_string(ssh.path().join("args")).unwrap();
    let common = "-T -oBatchMode=yes -oConnectTimeout=10 -- 10.0.0.2";
    let expected = format!("{common} pulse --status --json\n{common} lvsd --status --json\n");
    assert_eq!(args, expected);
}

/// Nothing was to be sent: the words fit both questions.
#[test]
fn with_a_wrong_file_the_partner_is_not_reached_whatever_for() {
    let world = World::with(|settings| settings.ssh = Some("ssh".into()));
    std::fs::write(
        world.folder.path().join("lvs.cf"),
        format!("{FILE}virtual x {{\n"),
    )
    .unwrap();
    let send = Request::SendToPartner { origin: origin() };
    for request in [Request::PartnerStatus, send] {
        let reply = world.applier.answer(request);
        let Reply::Error { message } = reply else {
            panic!("{reply:?}");
        };
        let reason = "the partner is not reached: lvs.cf has errors: ";
        assert!(message.contains(reason), "{message}");
    }
}
