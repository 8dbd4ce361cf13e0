//! nftables: against the kernel where `nft` and network namespaces can be had (`RISKGRAPH_TEST_NFT` names another `nft`),
//! else against a stand-in that answers and fails as nftables 1.0.6 does.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ipnet::IpNet;
use riskgraph_connectors::respond::Responders;
use riskgraph_domain::EntityKind;
use riskgraph_domain::respond::Responder as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::world::{NOW, build, connectors, request};

/// A place where `nft` works.
struct Firewall {
    argv: Vec<String>,
    dir: TempDir,
    /// Keeps a network namespace alive.
    holder: Option<Child>,
}

impl Drop for Firewall {
    fn drop(&mut self) {
        if let Some(holder) = &mut self.holder {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

const SETS: &str = "add table inet riskgraph
add set inet riskgraph block4 { type ipv4_addr; flags interval,timeout; }
add set inet riskgraph block6 { type ipv6_addr; flags interval,timeout; }
";

impl Firewall {
    /// The kernel's, in a network namespace of its own; `None` where that cannot be had.
    fn real() -> Option<Self> {
        let nft = std::env::var("RISKGRAPH_TEST_NFT").unwrap_or_else(|_| "/usr/sbin/nft".to_owned());
        let usable = Path::new(&nft).exists() && Path::new("/usr/bin/unshare").exists();
        let dir = tempfile::tempdir().expect("dir");
        let ready = dir.path().join("ready");
        let script = format!("touch {} && exec sleep 600", ready.display());
        let mut holder =
            usable.then(|| Command::new("/usr/bin/unshare").args(["-n", "/bin/sh", "-c", &script]).spawn().ok())??;
        let inside = |argv: &[&str], pid: u32| {
            let mut words =
                vec!["/usr/bin/nsenter".to_owned(), "-t".to_owned(), pid.to_string(), "-n".to_owned(), nft.clone()];
            words.extend(argv.iter().map(|word| (*word).to_owned()));
            words
        };
        while !ready.exists() {
            if holder.try_wait().ok()?.is_some() {
                return None;
            }
            std::thread::yield_now();
        }
        let rules = dir.path().join("rules");
        std::fs::write(&rules, SETS).expect("written");
        let made = inside(&["-f", rules.to_str()?], holder.id());
        let made = Command::new(&made[0]).args(&made[1..]).status().ok()?;
        let argv = inside(&["-j", "-f", "-"], holder.id());
        made.success().then_some(Self { argv, dir, holder: Some(holder) })
    }

    /// The stand-in: a script that calls this very test binary, whose state is a file.
    fn fake() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("dir");
        let state = json!({"block4": [], "block6": []});
        std::fs::write(dir.path().join("state"), state.to_string()).expect("written");
        let me = std::env::current_exe().expect("this binary");
        let (folder, script) = (dir.path().display(), dir.path().join("nft"));
        let text = format!(
            "#!/bin/sh\nexport FAKE_NFT={folder}\n'{}' --exact nftables::stands_in_for_nft --nocapture >/dev/null 2>&1 || \
             {{ cat {folder}/answer >&2; exit 1; }}\ncat {folder}/answer\n",
            me.display()
        );
        std::fs::write(&script, text).expect("written");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("rights");
        let argv = [script.to_str().expect("text"), "-j", "-f", "-"].map(str::to_owned).to_vec();
        Self { argv, dir, holder: None }
    }

    fn responders(&self) -> Responders {
        build(&connectors(json!({"firewall": {"kind": "nftables", "argv": self.argv}})), self.dir.path())
    }

    /// What an operator types.
    fn by_hand(&self, commands: Value) -> (bool, String) {
        let mut nft = Command::new(&self.argv[0]);
        nft.args(&self.argv[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = nft.spawn().expect("runs");
        let input = json!({ "nftables": commands }).to_string();
        std::io::Write::write_all(&mut child.stdin.take().expect("input"), input.as_bytes()).expect("fed");
        let out = child.wait_with_output().expect("ends");
        (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned())
    }

    fn listing(&self) -> String {
        self.by_hand(json!([{"list": {"set": {"family": "inet", "table": "riskgraph", "name": "block4"}}}])).1
    }
}

fn member(elem: Value) -> Value {
    json!([{"add": {"element": {"family": "inet", "table": "riskgraph", "name": "block4", "elem": [elem]}}}])
}

#[tokio::test]
async fn members_come_and_go_and_the_operators_stay() {
    let firewall = Firewall::real().unwrap_or_else(Firewall::fake);
    println!("against {}", if firewall.holder.is_some() { "the kernel" } else { "the stand-in" });
    let responders = firewall.responders();
    assert!(firewall.by_hand(member(json!("192.0.2.1"))).0);
    assert!(firewall.by_hand(member(json!({"range": ["192.0.2.8", "192.0.2.20"]}))).0);

    let block = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_1");
    assert!(responders.dry_run(&block).await.expect("plans").text.contains("(2 members now)"));
    let effect = responders.execute(&block).await.expect("executes");
    assert!(effect.ours && responders.verify(&block, &effect).await.expect("looks").holds);
    assert!(firewall.listing().contains("\"timeout\": 3600") || firewall.listing().contains("\"timeout\":3600"));
    // A crash before the record: made anew, executed again.
    let responders = firewall.responders();
    assert_eq!(responders.execute(&block).await.expect("again"), effect);

    for covered in ["192.0.2.1", "192.0.2.9"] {
        let wanted = request("block_address", (EntityKind::Address, covered), "run_2");
        let seen = responders.execute(&wanted).await.expect("nothing to do");
        assert!(!seen.ours && !responders.undo(&wanted, &seen).await.expect("nothing").ours, "{covered}");
        assert!(responders.verify(&wanted, &seen).await.expect("looks").holds);
    }
    let wide = request("block_network", (EntityKind::Network, "192.0.2.0/24"), "run_3");
    assert!(responders.execute(&wide).await.expect_err("overlaps").message.contains("overlapping"));

    let net = request("block_network", (EntityKind::Network, "198.51.100.0/24"), "run_4");
    let also = request("block_network", (EntityKind::Network, "198.51.100.0/24"), "run_5");
    let (a, b) = (responders.execute(&net).await.expect("executes"), responders.execute(&also).await.expect("joins"));
    responders.undo(&net, &a).await.expect("undoes");
    assert!(responders.verify(&net, &a).await.expect("looks").holds, "the other run holds it");
    responders.undo(&also, &b).await.expect("undoes");
    assert!(!responders.verify(&also, &b).await.expect("looks").holds);

    let six = request("block_network", (EntityKind::Network, "2001:db8:7::/48"), "run_6");
    let seen = responders.execute(&six).await.expect("executes");
    assert!(responders.verify(&six, &seen).await.expect("looks").holds);
    responders.undo(&block, &effect).await.expect("undoes");
    assert!(!responders.undo(&block, &effect).await.expect("again").ours);
    let left = firewall.listing();
    assert!(left.contains("192.0.2.1") && left.contains("192.0.2.8") && !left.contains("riskgraph run"), "{left}");

    let mut late = request("block_address", (EntityKind::Address, "203.0.113.9"), "run_7");
    late.expires_at = Some(NOW);
    assert!(responders.execute(&late).await.is_err(), "its time is over");
}

#[tokio::test]
async fn a_firewall_that_misbehaves_is_said() {
    let dir = tempfile::tempdir().expect("dir");
    let check = async |argv: &[&str], retry: bool| {
        let responders = build(&connectors(json!({"firewall": {"kind": "nftables", "argv": argv}})), dir.path());
        let block = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_1");
        let fault = responders.execute(&block).await.expect_err("fails");
        assert_eq!(fault.code.retry(), retry, "{fault}");
    };
    check(&["/bin/echo", "not json"], false).await;
    check(&["/bin/echo", "{\"nftables\": [{\"set\": 7}, null, {\"rule\": {}}]}"], false).await;
    check(&["/bin/false"], false).await;
    check(&["/nowhere/nft"], true).await;
}

/// Acts as `nft -j -f -` when the script above calls; does nothing in a run of the tests.
#[test]
fn stands_in_for_nft() {
    let Ok(folder) = std::env::var("FAKE_NFT") else { return };
    let folder = PathBuf::from(folder);
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).expect("input");
    let state = std::fs::read_to_string(folder.join("state")).expect("state");
    let mut state: Value = serde_json::from_str(&state).expect("JSON");
    let commands: Value = serde_json::from_str(&input).expect("JSON");
    let mut answer = String::new();
    for command in commands["nftables"].as_array().expect("commands") {
        match obey(command, &mut state) {
            Ok(Some(listing)) => answer = listing.to_string(),
            Ok(None) => {}
            Err(problem) => {
                std::fs::write(folder.join("answer"), format!("internal:0:0-0: Error: {problem}\n")).expect("written");
                std::process::exit(1);
            }
        }
    }
    std::fs::write(folder.join("state"), state.to_string()).expect("written");
    std::fs::write(folder.join("answer"), answer).expect("written");
    std::process::exit(0);
}

/// One command, as nftables 1.0.6 takes it for sets with `interval` and `timeout`.
fn obey(command: &Value, state: &mut Value) -> Result<Option<Value>, &'static str> {
    let (verb, object) = command.as_object().and_then(|map| map.iter().next()).ok_or("syntax error")?;
    let place = object.get("set").or_else(|| object.get("element")).ok_or("syntax error")?;
    let name = place["name"].as_str().unwrap_or_default();
    let members = state.get_mut(name).and_then(Value::as_array_mut).ok_or("No such file or directory")?;
    if verb == "list" {
        let mut set = json!({"family": "inet", "name": name, "table": "riskgraph", "flags": ["interval", "timeout"]});
        if !members.is_empty() {
            set["elem"] = members.clone().into();
        }
        let meta = json!({"metainfo": {"version": "1.0.6", "json_schema_version": 1}});
        return Ok(Some(json!({"nftables": [meta, {"set": set}]})));
    }
    for elem in place["elem"].as_array().ok_or("syntax error")? {
        let wanted = range(elem).ok_or("Could not resolve hostname: Name or service not known")?;
        let there = members.iter().position(|member| range(member) == Some(wanted));
        match (verb.as_str(), there) {
            ("delete", Some(at)) => drop(members.remove(at)),
            ("delete", None) => return Err("element does not exist"),
            ("add", Some(_)) => {}
            ("add", None) => {
                let overlaps = |member: &Value| range(member).is_some_and(|(a, b)| a <= wanted.1 && wanted.0 <= b);
                if members.iter().any(overlaps) {
                    return Err("interval overlaps with an existing one");
                }
                members.push(elem.clone());
            }
            _ => return Err("syntax error"),
        }
    }
    Ok(None)
}

fn range(elem: &Value) -> Option<(std::net::IpAddr, std::net::IpAddr)> {
    let value = elem.get("elem").map_or(elem, |inner| &inner["val"]);
    let ip = |value: &Value| value.as_str()?.parse().ok();
    if let Some(prefix) = value.get("prefix") {
        let net = IpNet::new(ip(&prefix["addr"])?, prefix["len"].as_u64()? as u8).ok()?;
        return Some((net.network(), net.broadcast()));
    }
    match value.get("range") {
        Some(range) => Some((ip(&range[0])?, ip(&range[1])?)),
        None => Some((ip(value)?, ip(value)?)),
    }
}
