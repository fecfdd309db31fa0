//! The hostile tool that asks for sockets. Nothing grants them: it must be refused when it is loaded, with the import
//! named, or meet a refusal with every attempt.

use evil_kit::{Attack, number, report};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp_create_socket::create_udp_socket;
use wasmill_sdk::serde_json::Value;
use wasmill_sdk::{Error, Function, Tool};

const KINDS: [&[Attack]; 1] = [&[
    Attack {
        name: "connect",
        must: "Connecting to `port` on this machine is refused with `evil.refused`.",
        run: connect,
    },
    Attack { name: "listen", must: "Listening on a port is refused with `evil.refused`.", run: listen },
    Attack { name: "datagram", must: "Binding a datagram socket is refused with `evil.refused`.", run: datagram },
    Attack { name: "resolve", must: "Looking up a name is refused with `evil.refused`.", run: resolve },
]];

struct EvilSockets;

impl Tool for EvilSockets {
    fn describe() -> Vec<Function> {
        evil_kit::describe(&KINDS)
    }

    fn call(function: &str, arguments: &str) -> Result<String, Error> {
        evil_kit::start(&KINDS, function, arguments)
    }
}

wasmill_sdk::tool!(EvilSockets);

fn loopback(port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) })
}

fn connect(arguments: &Value) -> Result<String, Error> {
    let address = loopback(number(arguments, "port", 9) as u16);
    report(try_connect(address).map(|()| "a connection"))
}

fn try_connect(address: IpSocketAddress) -> Result<(), ErrorCode> {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
    socket.start_connect(&instance_network(), address)?;
    socket.subscribe().block();
    socket.finish_connect().map(|_| ())
}

fn listen(_: &Value) -> Result<String, Error> {
    report(try_listen().map(|()| "a listening socket"))
}

fn try_listen() -> Result<(), ErrorCode> {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
    socket.start_bind(&instance_network(), loopback(0))?;
    socket.finish_bind()?;
    socket.start_listen()?;
    socket.finish_listen()
}

fn datagram(_: &Value) -> Result<String, Error> {
    report(try_datagram().map(|()| "a datagram socket"))
}

fn try_datagram() -> Result<(), ErrorCode> {
    let socket = create_udp_socket(IpAddressFamily::Ipv4)?;
    socket.start_bind(&instance_network(), loopback(0))?;
    socket.finish_bind()
}

fn resolve(_: &Value) -> Result<String, Error> {
    report(try_resolve().map(|found| if found { "an address" } else { "no address" }))
}

fn try_resolve() -> Result<bool, ErrorCode> {
    let addresses = resolve_addresses(&instance_network(), "localhost")?;
    addresses.subscribe().block();
    addresses.resolve_next_address().map(|address| address.is_some())
}
