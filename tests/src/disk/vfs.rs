//! SQLite's door to a [`Disk`]: a VFS that becomes the default with the first [`mount`], and lets every path
//! through to the system's own that lies in no mounted folder. So the store needs no door for tests.
//!
//! No shared memory and no locks: the store opens its file for one process (`locking_mode=EXCLUSIVE`), and a
//! connection that does not is refused its log by SQLite itself.
#![allow(unsafe_code)]

use super::{Call, Disk, Failed, Fault, Random};
use rusqlite::ffi;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once};

static MOUNTED: Mutex<BTreeMap<PathBuf, Disk>> = Mutex::new(BTreeMap::new());
static REGISTERED: Once = Once::new();

thread_local! {
    /// What SQLite takes salts from: the same on every run.
    static RANDOM: RefCell<Random> = const { RefCell::new(Random::new(0)) };
}

/// While it lives, SQLite's files in this folder are on the disk.
#[derive(Debug)]
pub struct Mount(PathBuf);

/// `folder` must be absolute, and no disk mounted there.
pub fn mount(folder: &Path, disk: &Disk) -> Mount {
    REGISTERED.call_once(register);
    RANDOM.with_borrow_mut(|random| *random = Random::new(0));
    let before = MOUNTED.lock().expect("nobody panics with it").insert(folder.to_owned(), disk.clone());
    assert!(before.is_none(), "a disk is mounted on {} already", folder.display());
    Mount(folder.to_owned())
}

impl Drop for Mount {
    fn drop(&mut self) {
        MOUNTED.lock().expect("nobody panics with it").remove(&self.0);
    }
}

/// The disk of a path, and the file's name there.
fn found(path: &CStr) -> Option<(Disk, String)> {
    let path = Path::new(path.to_str().ok()?);
    let disk = MOUNTED.lock().expect("nobody panics with it").get(path.parent()?)?.clone();
    Some((disk, path.file_name()?.to_str()?.to_owned()))
}

#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

struct Open {
    disk: Disk,
    file: String,
    temporary: bool,
}

/// The VFS of the system, which ours lets through to.
fn system(vfs: *mut ffi::sqlite3_vfs) -> *mut ffi::sqlite3_vfs {
    // SAFETY: `register` puts it there, and neither is ever freed.
    unsafe { (*vfs).pAppData.cast() }
}

fn register() {
    // SAFETY: the system's VFS is there once SQLite is initialised, and is never taken away; ours is leaked, so
    // that it lives as long. SQLite copies neither.
    unsafe {
        assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
        let system = ffi::sqlite3_vfs_find(std::ptr::null());
        assert!(!system.is_null(), "SQLite has a VFS of the system");
        let size = (*system).szOsFile.max(size_of::<Handle>() as c_int);
        let ours = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 1,
            szOsFile: size,
            mxPathname: (*system).mxPathname,
            pNext: std::ptr::null_mut(),
            zName: c"hearth-disk".as_ptr(),
            pAppData: system.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xRandomness: Some(randomness),
            ..*system
        }));
        assert_eq!(ffi::sqlite3_vfs_register(ours, 1), ffi::SQLITE_OK);
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

fn code(done: Result<(), Failed>, io: c_int) -> c_int {
    match done {
        Ok(()) => ffi::SQLITE_OK,
        Err(Failed(Fault::NoRoom)) => ffi::SQLITE_FULL,
        Err(Failed(Fault::Io | Fault::Short)) => io,
    }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands a name that ends with a zero or none, and room of `szOsFile` octets for the handle.
    unsafe {
        let opened = match name.is_null() {
            // Of a sort that does not fit: nobody's business but this connection's.
            true => Some(Open { disk: Disk::default(), file: "temporary".to_owned(), temporary: true }),
            false => found(CStr::from_ptr(name)).map(|(disk, file)| Open { disk, file, temporary: false }),
        };
        let Some(opened) = opened else {
            return match (*system(vfs)).xOpen {
                Some(xopen) => xopen(system(vfs), name, file, flags, out),
                None => ffi::SQLITE_CANTOPEN,
            };
        };
        (*file).pMethods = std::ptr::null();
        if !opened.disk.has(&opened.file) {
            if flags & ffi::SQLITE_OPEN_CREATE == 0 && !opened.temporary && !on_the_system(name) {
                return ffi::SQLITE_CANTOPEN;
            }
            let made = code(opened.disk.call(&opened.file, Call::Create), ffi::SQLITE_CANTOPEN);
            if made != ffi::SQLITE_OK {
                return made;
            }
        }
        if !out.is_null() {
            *out = flags;
        }
        (*file.cast::<Handle>()).open = Box::into_raw(Box::new(opened));
        (*file).pMethods = &raw const METHODS;
        ffi::SQLITE_OK
    }
}

/// The store makes its file, empty and private, before SQLite opens it.
fn on_the_system(name: *const c_char) -> bool {
    // SAFETY: a name that ends with a zero, as `open` was handed it.
    unsafe { CStr::from_ptr(name) }.to_str().is_ok_and(|name| Path::new(name).exists())
}

fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a Open {
    // SAFETY: SQLite calls the methods between `open` and `close` only, and `open` puts a box there.
    unsafe { &*(*file.cast::<Handle>()).open }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the last call of this handle, whose box `open` made.
    unsafe { drop(Box::from_raw((*file.cast::<Handle>()).open)) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, many: c_int, at: i64) -> c_int {
    let (many, at) = (many.unsigned_abs() as usize, at.unsigned_abs() as usize);
    // SAFETY: SQLite's room of `many` octets.
    let into = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), many) };
    let Open { disk, file, .. } = opened(file);
    if disk.read(file, at, into) < many { ffi::SQLITE_IOERR_SHORT_READ } else { ffi::SQLITE_OK }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, many: c_int, at: i64) -> c_int {
    let (many, at) = (many.unsigned_abs() as usize, at.unsigned_abs() as usize);
    // SAFETY: SQLite's own `many` octets.
    let octets = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), many) }.to_vec();
    let Open { disk, file, .. } = opened(file);
    code(disk.call(file, Call::Write { at, octets }), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    let Open { disk, file, .. } = opened(file);
    code(disk.call(file, Call::Truncate(length.unsigned_abs() as usize)), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    let Open { disk, file, .. } = opened(file);
    code(disk.call(file, Call::Sync), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    let Open { disk, file, .. } = opened(file);
    // SAFETY: SQLite's own place for the answer.
    unsafe { *size = i64::try_from(disk.length(file)).unwrap_or(i64::MAX) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(_file: *mut ffi::sqlite3_file, _level: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(_file: *mut ffi::sqlite3_file, taken: *mut c_int) -> c_int {
    // SAFETY: SQLite's own place for the answer.
    unsafe { *taken = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_file: *mut ffi::sqlite3_file, _what: c_int, _about: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    // As SQLite's own VFS says of every file; what it may rely on is no more than that.
    4_096
}

unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, durably: c_int) -> c_int {
    // SAFETY: a name that ends with a zero; the system's VFS is asked as SQLite asks ours.
    unsafe {
        match found(CStr::from_ptr(name)) {
            Some((disk, file)) if disk.has(&file) => {
                let durably = durably != 0;
                code(disk.call(&file, Call::Delete { durably }), ffi::SQLITE_IOERR_DELETE)
            }
            Some(_) => ffi::SQLITE_IOERR_DELETE_NOENT,
            None => (*system(vfs))
                .xDelete
                .map_or(ffi::SQLITE_IOERR, |xdelete| xdelete(system(vfs), name, durably)),
        }
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    what: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: as in `delete`; `out` is SQLite's own place for the answer.
    unsafe {
        match found(CStr::from_ptr(name)) {
            // What is empty is no log and no journal to SQLite's own VFS.
            Some((disk, file)) => {
                *out = c_int::from(
                    disk.length(&file) > 0 || what != ffi::SQLITE_ACCESS_EXISTS && disk.has(&file),
                );
                ffi::SQLITE_OK
            }
            None => (*system(vfs))
                .xAccess
                .map_or(ffi::SQLITE_IOERR, |xaccess| xaccess(system(vfs), name, what, out)),
        }
    }
}

unsafe extern "C" fn full_pathname(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: as in `delete`; `out` has room for `room` octets, the last zero among them.
    unsafe {
        if found(CStr::from_ptr(name)).is_some() {
            let octets = CStr::from_ptr(name).to_bytes_with_nul();
            if octets.len() > room.unsigned_abs() as usize {
                return ffi::SQLITE_CANTOPEN;
            }
            std::ptr::copy_nonoverlapping(octets.as_ptr().cast(), out, octets.len());
            return ffi::SQLITE_OK;
        }
        (*system(vfs)).xFullPathname.map_or(ffi::SQLITE_IOERR, |full| full(system(vfs), name, room, out))
    }
}

unsafe extern "C" fn randomness(_vfs: *mut ffi::sqlite3_vfs, many: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite's room of `many` octets.
    let out = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), many.unsigned_abs() as usize) };
    RANDOM.with_borrow_mut(|random| out.iter_mut().for_each(|octet| *octet = random.number() as u8));
    many
}
