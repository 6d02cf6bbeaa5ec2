//! Who the hub is at one destination, taken anew when the files change.
//!
//! What can be used is used until something better is there: files that are half written, do not belong together or
//! have ended leave the certificate in use as it is, and a person is told.

use crate::tls::{self, Client, Fault, Files, Look};
use jiff::Timestamp;

#[derive(Debug)]
pub(super) struct Credentials {
    files: Files,
    client: Option<Client>,
    /// How the files looked when they were last read.
    look: Option<Look>,
    /// Why what is in them is not in use.
    fault: Option<Fault>,
}

/// How often files are read that somebody is writing to.
const TRIES: usize = 3;

impl Credentials {
    pub(super) fn new(files: Files) -> Credentials {
        Credentials { files, client: None, look: None, fault: None }
    }

    /// Takes what is in the files, if they changed and it can be used. `true`: from now on another client is used, and
    /// connections of the one before must end.
    pub(super) fn refresh(&mut self, now: Timestamp) -> bool {
        for _ in 0..TRIES {
            let look = self.files.look();
            // Time alone mends what is not yet valid; what else can't be used is read each time that it is needed.
            let is_known = match self.fault {
                Some(Fault::NotYetValid { from, .. }) => now < from,
                _ => self.usable(now).is_some(),
            };
            if is_known && self.look.as_ref() == Some(&look) {
                return false;
            }
            let read = tls::client(&self.files, now);
            if self.files.look() != look {
                // Read while it was written: it may be of two sets.
                continue;
            }
            self.look = Some(look);
            match read {
                Ok(client) => {
                    self.client = Some(client);
                    self.fault = None;
                    return true;
                }
                Err(fault) => {
                    self.fault = Some(fault);
                    return false;
                }
            }
        }
        false
    }

    /// The client to be used now; or why there is none.
    pub(super) fn client(&self, now: Timestamp) -> Result<Client, Fault> {
        match (self.usable(now), &self.fault, &self.client) {
            (Some(client), ..) => Ok(client.clone()),
            (None, Some(fault), _) => Err(fault.clone()),
            (None, None, Some(client)) => {
                Err(Fault::Expired { path: self.files.certificate.clone(), at: client.until })
            }
            (None, None, None) => {
                Err(Fault::Unreadable(self.files.certificate.clone(), "somebody is writing to it".into()))
            }
        }
    }

    fn usable(&self, now: Timestamp) -> Option<&Client> {
        self.client.as_ref().filter(|client| now <= client.until)
    }

    /// Until when the certificate in use is valid.
    pub(super) fn until(&self) -> Option<Timestamp> {
        self.client.as_ref().map(|client| client.until)
    }

    /// What a person must see to: the file, and the cure.
    pub(super) fn remarks(&self, now: Timestamp) -> Vec<String> {
        let mut remarks = Vec::new();
        match (&self.fault, self.usable(now)) {
            (Some(fault), Some(client)) => remarks.push(format!(
                "{fault}. Until then the certificate goes on that was there before, valid until {:.0}",
                client.until
            )),
            (Some(fault), None) => remarks.push(fault.to_string()),
            (None, _) => {}
        }
        if let Some(client) = self.usable(now).filter(|client| client.ends_soon(now)) {
            remarks.push(format!(
                "{}: expires at {:.0}; have it renewed",
                self.files.certificate.display(),
                client.until
            ));
        }
        remarks
    }
}

#[cfg(all(test, feature = "demo"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::clock;
    use crate::demo::pki;
    use crate::uplink::tests::rig::{PKI, directory};
    use jiff::SignedDuration;
    use std::fs;

    /// Files of its own, and what is put there.
    struct Folder(Files);

    impl Folder {
        fn new(name: &str) -> Folder {
            let directory = directory(name);
            let folder = Folder(Files {
                ca: directory.join("ca.pem"),
                certificate: directory.join("hub.pem"),
                key: directory.join("hub.key.pem"),
            });
            fs::copy(PKI.ca(), &folder.0.ca).unwrap();
            folder
        }

        /// As a tool that renews certificates does: written beside, then renamed.
        fn put(&self, certificate: Option<&str>, key: Option<&str>) {
            let put = |from: std::path::PathBuf, to: &std::path::Path| {
                fs::copy(from, to.with_extension("new")).unwrap();
                fs::rename(to.with_extension("new"), to).unwrap();
            };
            certificate.into_iter().for_each(|name| put(PKI.certificate(name), &self.0.certificate));
            key.into_iter().for_each(|name| put(PKI.key(name), &self.0.key));
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(self.0.ca.parent().unwrap());
        }
    }

    #[test]
    fn what_changed_and_can_be_used_is_taken_once() {
        let folder = Folder::new("taken");
        folder.put(Some(pki::CLIENT), Some(pki::CLIENT));
        let (mut credentials, now) = (Credentials::new(folder.0.clone()), clock::now());
        assert!(credentials.refresh(now) && !credentials.refresh(now));
        folder.put(Some(pki::CLIENT_RENEWED), Some(pki::CLIENT_RENEWED));
        assert!(credentials.refresh(now) && !credentials.refresh(now));
        assert!(credentials.remarks(now).is_empty());
        // Whom the hub trusts may change, too.
        fs::copy(PKI.other_ca(), &folder.0.ca).unwrap();
        assert!(credentials.refresh(now) && !credentials.refresh(now));
        // Written in place, without a new inode or another size.
        fs::copy(PKI.ca(), &folder.0.ca).unwrap();
        assert!(credentials.refresh(now));
    }

    /// Each step of a renewal that goes wrong, and the sentence about it; the certificate before stays in use.
    #[test]
    fn what_can_not_be_used_leaves_what_was_there() {
        let folder = Folder::new("kept");
        folder.put(Some(pki::CLIENT), Some(pki::CLIENT));
        let (mut credentials, now) = (Credentials::new(folder.0.clone()), clock::now());
        assert!(credentials.refresh(now));
        let until = credentials.client(now).unwrap().until;
        type Step<'a> = (&'a str, Box<dyn Fn() + 'a>);
        let certificate = &folder.0.certificate;
        let steps: [Step<'_>; 5] = [
            ("hub.key.pem: is not the key of", Box::new(|| folder.put(Some(pki::CLIENT_RENEWED), None))),
            ("hub.pem: holds no certificate", Box::new(|| fs::write(certificate, "").unwrap())),
            (
                "hub.pem: holds a damaged certificate",
                Box::new(|| {
                    let whole = fs::read(PKI.certificate(pki::CLIENT_RENEWED)).unwrap();
                    fs::write(certificate, &whole[..20]).unwrap();
                }),
            ),
            ("hub.pem: there is no such file", Box::new(|| fs::remove_file(certificate).unwrap())),
            (
                "hub.pem: expired at",
                Box::new(|| folder.put(Some(pki::CLIENT_EXPIRED), Some(pki::CLIENT_EXPIRED))),
            ),
        ];
        for (sentence, step) in steps {
            step();
            assert!(!credentials.refresh(now), "{sentence}");
            assert_eq!(credentials.client(now).unwrap().until, until, "{sentence}");
            let said = credentials.remarks(now).join("; ");
            assert!(said.contains(sentence) && said.ends_with(&format!("valid until {until:.0}")), "{said}");
        }
        folder.put(Some(pki::CLIENT_RENEWED), Some(pki::CLIENT_RENEWED));
        assert!(credentials.refresh(now) && credentials.remarks(now).is_empty());
    }

    /// What is not yet valid is waited for, and the one before used until then; nothing is used beyond its end.
    #[test]
    fn dates_pass() {
        let folder = Folder::new("dates");
        folder.put(Some(pki::CLIENT), Some(pki::CLIENT));
        let (mut credentials, now) = (Credentials::new(folder.0.clone()), clock::now());
        assert!(credentials.refresh(now));
        folder.put(Some(pki::CLIENT_NOT_YET), Some(pki::CLIENT_NOT_YET));
        assert!(!credentials.refresh(now) && credentials.client(now).is_ok());
        // Said once: a hub that waits for its clock looks every minute.
        let said = credentials.remarks(now);
        assert!(!credentials.refresh(now + SignedDuration::from_mins(1)) && said.len() == 1);
        assert_eq!(credentials.remarks(now), said);
        let later = now + SignedDuration::from_hours(48);
        assert!(credentials.refresh(later) && credentials.remarks(later).is_empty());
        // A fifth of its 29 days are left.
        let until = credentials.until().unwrap();
        let soon = until - SignedDuration::from_hours(5 * 24);
        assert!(!credentials.refresh(soon));
        assert_eq!(
            credentials.remarks(soon),
            [format!("{}: expires at {until:.0}; have it renewed", folder.0.certificate.display())]
        );
        let over = until + SignedDuration::from_secs(1);
        assert!(!credentials.refresh(over));
        let fault = Fault::Expired { path: folder.0.certificate.clone(), at: until };
        assert_eq!(credentials.client(over).unwrap_err(), fault);
        assert_eq!(credentials.remarks(over), [fault.to_string()]);
    }
}
