//! Networks of their own for hosts, so that one can be cut off: a bridge with the broker on it, and for each host a
//! network namespace that hangs on it by one link.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Result, ensure};

use crate::parts::{Missing, on_path};

/// A bridge. Dropping it removes it.
#[derive(Debug)]
pub struct Net {
    bridge: String,
    subnet: u8,
    spaces: AtomicU8,
}

/// A network namespace with one link to the bridge. Dropping it removes both.
#[derive(Debug)]
pub struct Space {
    name: String,
    link: String,
}

impl Net {
    /// A bridge with an address.
    ///
    /// # Errors
    /// [`Missing`] where this machine or this user can't have one.
    pub fn open() -> Result<Self, Missing> {
        let missing = |reason: String| Missing { part: "network namespaces", reason };
        if on_path("ip").is_none() {
            return Err(missing("`ip` is not on the path; run `cargo xtask setup`".to_owned()));
        }
        if !nix::unistd::Uid::effective().is_root() {
            return Err(missing("only root may make them; run the tests as root".to_owned()));
        }
        sweep();
        let refused = |error: anyhow::Error| missing(format!("this machine refuses: {error:#}"));
        let taken = output(&["-o", "-4", "addr", "show"]).map_err(refused)?;
        let own = std::process::id();
        let subnets = (0..=u8::MAX).map(|i| i.wrapping_add(own.to_le_bytes()[0]));
        let free = subnets.into_iter().find(|subnet| !taken.contains(&format!(" 10.231.{subnet}.")));
        let subnet = free.ok_or_else(|| missing("all of 10.231.0.0/16 is taken".to_owned()))?;
        let net = Self { bridge: format!("wm{own}b"), subnet, spaces: AtomicU8::new(0) };
        net.make().map_err(refused)?;
        Ok(net)
    }

    fn make(&self) -> Result<()> {
        ip(&["link", "add", &self.bridge, "type", "bridge"])?;
        ip(&["addr", "add", &format!("{}/24", self.address()), "dev", &self.bridge])?;
        ip(&["link", "set", &self.bridge, "up"])
    }

    /// The address that is reached from every space, and from outside of them.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 231, self.subnet, 1)
    }

    /// A new space.
    ///
    /// # Errors
    /// Where the system refuses, or after 200 of them.
    pub fn space(&self) -> Result<Space> {
        let number = self.spaces.fetch_add(1, Ordering::Relaxed);
        ensure!(number < 200, "a network has room for 200 hosts");
        let own = std::process::id();
        let space = Space { name: format!("wm-{own}-{number}"), link: format!("wm{own}v{number}") };
        let name = space.name.as_str();
        ip(&["netns", "add", name])?;
        ip(&["link", "add", &space.link, "type", "veth", "peer", "name", "eth0", "netns", name])?;
        ip(&["link", "set", &space.link, "master", &self.bridge, "up"])?;
        let address = format!("10.231.{}.{}/24", self.subnet, number + 2);
        for rest in [
            &["addr", "add", &address, "dev", "eth0"][..],
            &["link", "set", "eth0", "up"],
            &["link", "set", "lo", "up"],
        ] {
            ip(&[&["-n", name], rest].concat())?;
        }
        Ok(space)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = ip(&["link", "del", &self.bridge]);
    }
}

impl Space {
    /// What to write before a command, so that it runs in here. The process stays the same one.
    #[must_use]
    pub fn command(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.name].map(str::to_owned).to_vec()
    }

    /// From now on no packet passes; nobody is told.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn cut(&self) -> Result<()> {
        ip(&["link", "set", &self.link, "down"])
    }

    /// Packets pass again.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn mend(&self) -> Result<()> {
        ip(&["link", "set", &self.link, "up"])
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // The link's other end goes with it.
        let _ = ip(&["link", "del", &self.link]);
        let _ = ip(&["netns", "del", &self.name]);
    }
}

/// Removes what runs left behind that were killed: the names tell whose they are.
fn sweep() {
    let is_dead = |pid: &str| {
        !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit()) && !Path::new(&format!("/proc/{pid}")).exists()
    };
    for line in output(&["netns", "list"]).unwrap_or_default().lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let pid = name.strip_prefix("wm-").and_then(|rest| rest.split_once('-'));
        if pid.is_some_and(|(pid, _)| is_dead(pid)) {
            let _ = ip(&["netns", "del", name]);
        }
    }
    for line in output(&["-o", "link", "show", "type", "bridge"]).unwrap_or_default().lines() {
        let name = line.split(": ").nth(1).unwrap_or_default();
        if name.strip_prefix("wm").and_then(|rest| rest.strip_suffix('b')).is_some_and(is_dead) {
            let _ = ip(&["link", "del", name]);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    output(arguments).map(drop)
}

fn output(arguments: &[&str]) -> Result<String> {
    let output = Command::new("ip").args(arguments).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`ip {}` says: {}", arguments.join(" "), said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::parts::require;
    use crate::scratch::PATIENCE;
    use crate::server::until;

    /// Whether something in the space gets an answer.
    fn reaches(space: &Space, to: std::net::SocketAddr) -> bool {
        let script = format!("exec 3<>/dev/tcp/{}/{} && head -c 2 <&3", to.ip(), to.port());
        let mut command = Command::new("timeout");
        let output = command.arg("2").args(space.command()).args(["bash", "-c", &script]).output().unwrap();
        output.stdout == b"hi"
    }

    #[test]
    fn a_space_reaches_the_bridge_except_while_it_is_cut() {
        let Some(net) = require(Net::open()) else { return };
        let listener = TcpListener::bind((net.address(), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.write_all(b"hi").and_then(|()| stream.read(&mut [0]));
            }
        });
        let (cut, other) = (net.space().unwrap(), net.space().unwrap());
        assert!(reaches(&cut, address) && reaches(&other, address));
        cut.cut().unwrap();
        assert!(!reaches(&cut, address) && reaches(&other, address));
        cut.mend().unwrap();
        // Neighbours have to find each other again first.
        assert!(until(PATIENCE, || reaches(&cut, address)));
        let (name, bridge) = (cut.name.clone(), net.bridge.clone());
        drop((cut, other, net));
        assert!(!output(&["netns", "list"]).unwrap().contains(&name), "{name} is still there");
        assert!(!output(&["-o", "link"]).unwrap().contains(&bridge), "{bridge} is still there");
    }
}
