//! Owns the raising of the loopback in a new network namespace, where it is down at first.
//! Does not make the namespace.
//! Invariant: no other interface is touched.

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

/// The number of the loopback in every network namespace.
const LOOPBACK: i32 = 1;
/// In the words of rtnetlink(7): change the state of a link.
const NEW_LINK: u16 = 16;
/// The answer of the system; an error number of 0 says that it was done.
const ANSWER: u16 = 2;
/// It is a request, and is to be answered.
const REQUEST: u16 = 1 | 4;
/// The link is up.
const UP: u32 = 1;
/// The length of the header, and of the whole request.
const HEADER: usize = 16;
const LENGTH: u32 = 32;

/// A job's own servers and their clients find each other, and nobody else.
pub(super) fn raise_loopback() -> io::Result<()> {
    // The protocol of the number 0 is that of routes and links.
    let family = AddressFamily::NETLINK;
    let socket = socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let system = SocketAddrNetlink::new(0, 0);
    sendto(&socket, &make_request(), SendFlags::empty(), &system)?;
    let mut answer = [0; 256];
    let (length, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    read_answer(&answer[..length.min(answer.len())])
}

/// A header, and what it says of which link.
fn make_request() -> Vec<u8> {
    let (sequence, sender) = (1_u32, 0_u32);
    let mut bytes = Vec::new();
    bytes.extend(LENGTH.to_ne_bytes());
    bytes.extend(NEW_LINK.to_ne_bytes());
    bytes.extend(REQUEST.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(sender.to_ne_bytes());
    // Of any family and type.
    bytes.extend([0; 4]);
    bytes.extend(LOOPBACK.to_ne_bytes());
    // The flags, and which of them change.
    bytes.extend(UP.to_ne_bytes());
    bytes.extend(UP.to_ne_bytes());
    bytes
}

fn read_answer(bytes: &[u8]) -> io::Result<()> {
    let kind = bytes.get(4..6).and_then(|it| it.try_into().ok());
    let error = bytes
        .get(HEADER..HEADER + 4)
        .and_then(|it| it.try_into().ok());
    match (kind.map(u16::from_ne_bytes), error.map(i32::from_ne_bytes)) {
        (Some(ANSWER), Some(0)) => Ok(()),
        (Some(ANSWER), Some(error)) => Err(io::Error::from_raw_os_error(-error)),
        _ => Err(io::Error::other("the system gave another answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_as_long_as_it_says_and_an_answer_is_its_error_number() {
        assert_eq!(make_request().len(), usize::try_from(LENGTH).unwrap());
        let answer = |kind: u16, error: i32| {
            let mut bytes = make_request();
            bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
            bytes[HEADER..HEADER + 4].copy_from_slice(&error.to_ne_bytes());
            read_answer(&bytes)
        };
        assert!(answer(ANSWER, 0).is_ok());
        let refused = answer(ANSWER, -1).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        assert!(answer(NEW_LINK, 0).is_err() && read_answer(&[]).is_err());
    }
}
