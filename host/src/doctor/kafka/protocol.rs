//! The two questions of Kafka's protocol that a listener answers before it knows who asks: what it can do, and how one
//! logs in.

use std::io::{self, Read, Write};

/// Largest answer that is taken, in bytes. A list of what a broker can do has some hundred.
const ANSWER_SIZE_MAX: usize = 64 * 1024;
/// Name under which the questions are asked.
const CLIENT: &str = "wasmill-doctor";

const SASL_HANDSHAKE: i16 = 17;
const API_VERSIONS: i16 = 18;

/// One thing that a broker can do, and in which versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Api {
    /// Kafka's number for it.
    pub key: i16,
    /// Oldest version.
    pub min: i16,
    /// Newest version.
    pub max: i16,
}

/// How a listener takes a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// Not at all: it lets everybody in, or knows them by their certificates.
    NotHere,
    /// It takes the mechanism that was asked for.
    Taken,
    /// It takes others.
    Others(Vec<String>),
}

/// Asks what a broker can do.
pub(super) fn api_versions(stream: &mut (impl Read + Write)) -> io::Result<Vec<Api>> {
    let answer = ask(stream, API_VERSIONS, 0, &[])?;
    let mut rest = Reader(&answer);
    rest.expect_no_error()?;
    let count = rest.count()?;
    (0..count).map(|_| Ok(Api { key: rest.i16()?, min: rest.i16()?, max: rest.i16()? })).collect()
}

/// Asks whether one can log in by a mechanism. No name and no password is sent.
pub(super) fn login(stream: &mut (impl Read + Write), mechanism: &str) -> io::Result<Login> {
    let mut body = Vec::new();
    put_text(&mut body, mechanism);
    let answer = ask(stream, SASL_HANDSHAKE, 1, &body)?;
    let mut rest = Reader(&answer);
    match rest.i16()? {
        0 => Ok(Login::Taken),
        33 => {
            let count = rest.count()?;
            (0..count).map(|_| rest.text()).collect::<io::Result<_>>().map(Login::Others)
        }
        34 => Ok(Login::NotHere),
        code => Err(no_kafka(format!("it answers with error {code}"))),
    }
}

fn ask(stream: &mut (impl Read + Write), key: i16, version: i16, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut request = Vec::with_capacity(64 + body.len());
    request.extend(key.to_be_bytes());
    request.extend(version.to_be_bytes());
    request.extend(i32::from(key).to_be_bytes());
    put_text(&mut request, CLIENT);
    request.extend(body);
    let size = i32::try_from(request.len()).unwrap_or(i32::MAX);
    let whole = [&size.to_be_bytes()[..], &request].concat();
    stream.write_all(&whole)?;
    stream.flush()?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = usize::try_from(i32::from_be_bytes(size)).unwrap_or(usize::MAX);
    if !(4..=ANSWER_SIZE_MAX).contains(&size) {
        return Err(no_kafka("its answer is not one of Kafka's".to_owned()));
    }
    let mut answer = vec![0; size];
    stream.read_exact(&mut answer)?;
    // The number of the question stands in front of its answer.
    Ok(answer.split_off(4))
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(i16::try_from(text.len()).unwrap_or(i16::MAX).to_be_bytes());
    bytes.extend(text.as_bytes());
}

fn no_kafka(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// What is left of an answer.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (head, rest) =
            self.0.split_at_checked(count).ok_or_else(|| no_kafka("its answer is cut off".to_owned()))?;
        self.0 = rest;
        Ok(head)
    }

    fn i16(&mut self) -> io::Result<i16> {
        let bytes = self.take(2)?;
        Ok(i16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// Entries of a list; no more than could follow.
    fn count(&mut self) -> io::Result<usize> {
        let bytes = self.take(4)?;
        let count = i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let count = usize::try_from(count).unwrap_or(0);
        if count > self.0.len() { Err(no_kafka("its answer contradicts itself".to_owned())) } else { Ok(count) }
    }

    fn text(&mut self) -> io::Result<String> {
        let size = usize::try_from(self.i16()?).unwrap_or(0);
        Ok(String::from_utf8_lossy(self.take(size)?).into_owned())
    }

    fn expect_no_error(&mut self) -> io::Result<()> {
        match self.i16()? {
            0 => Ok(()),
            code => Err(no_kafka(format!("it answers with error {code}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a listener would answer, and what it was asked.
    struct Wire {
        answer: io::Cursor<Vec<u8>>,
        asked: Vec<u8>,
    }

    impl Wire {
        fn answering(body: &[u8]) -> Self {
            let size = (body.len() as i32 + 4).to_be_bytes();
            Self { answer: io::Cursor::new([&size[..], &[0, 0, 0, 18], body].concat()), asked: Vec::new() }
        }
    }

    impl Read for Wire {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.answer.read(buffer)
        }
    }

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.asked.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_broker_can_do_is_read() {
        let mut wire = Wire::answering(&[0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 12, 0, 28, 0, 0, 0, 5]);
        let apis = api_versions(&mut wire).unwrap();
        assert_eq!(apis, [Api { key: 0, min: 3, max: 12 }, Api { key: 28, min: 0, max: 5 }]);
        assert_eq!(wire.asked[..12], [0, 0, 0, 24, 0, 18, 0, 0, 0, 0, 0, 18]);
    }

    #[test]
    fn mechanisms_are_read() {
        let others = [0, 33, 0, 0, 0, 2, 0, 1, b'A', 0, 2, b'B', b'C'];
        assert_eq!(
            login(&mut Wire::answering(&others), "PLAIN").unwrap(),
            Login::Others(vec!["A".into(), "BC".into()])
        );
        assert_eq!(login(&mut Wire::answering(&[0, 34, 0, 0, 0, 0]), "PLAIN").unwrap(), Login::NotHere);
        assert_eq!(login(&mut Wire::answering(&[0, 0, 0, 0, 0, 0]), "PLAIN").unwrap(), Login::Taken);
    }

    #[test]
    fn what_is_no_answer_of_kafkas_is_an_error_and_takes_no_memory() {
        for bytes in [&b"HTTP/1.1 400"[..], &[0x15, 3, 3, 0, 2, 2, 70], &[0x7f, 255, 255, 255], &[255; 8], b""] {
            let mut wire = Wire { answer: io::Cursor::new(bytes.to_vec()), asked: Vec::new() };
            assert!(api_versions(&mut wire).is_err(), "{bytes:?}");
        }
        for body in [&[0, 0, 127, 255, 255, 255][..], &[0, 0, 0, 0, 0, 9, 0], &[0, 35, 0, 0, 0, 0]] {
            assert!(api_versions(&mut Wire::answering(body)).is_err(), "{body:?}");
        }
    }
}
