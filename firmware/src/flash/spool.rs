//! Records, numbered, from the moment they are written until the hub has committed them.
//!
//! The region is a set of pages, each erased as a whole. A page begins with an entry, written twice, that says the page's life (a number
//! that only grows, and orders the pages), the epoch, and what was acknowledged when it was begun; then come records, and acknowledgements as
//! they arrive. A page whose records are all acknowledged is free. Each start begins a page, and with it the next epoch, so that a
//! number within its epoch is never given twice: the newest page is never erased, and knows them all.
//!
//! Two pages are kept back from records: a start must find one, and so must a note of what was lost. Where even they are in use, the
//! bridge has no epoch, and takes nothing, until the hub acknowledges something.
//!
//! Long because these rules hold only together: what is written where, what is free, and what is found again.

use super::Refused;
use super::entry::{self, Entry, Found, OCTETS, ROOM};
use core::fmt;
use embedded_storage_async::nor_flash::NorFlash;
use hearth_wire::frame::{Place, said};

/// A page's first entry: life u32, epoch u32, acknowledged place u32 and u32.
const PAGE: u8 = 1;
/// Number u32, then what the record says.
const RECORD: u8 = 2;
/// Place u32 and u32: up to it all is acknowledged.
const ACKNOWLEDGED: u8 = 3;

/// Pages that are free, beyond the newest: what records leave, and what a note of losses leaves.
const LEFT_BY_RECORDS: usize = 2;
const LEFT_BY_LOSSES: usize = 1;

/// The hub gives no first epoch beyond this: a bridge starts as often again, and still has one.
const LAST_FIRST_EPOCH: u32 = u32::MAX / 2;

/// A region of flash with `PAGES` pages.
pub struct Spool<F, const PAGES: usize> {
    flash: F,
    pages: [Page; PAGES],
    newest: usize,
    /// Where the newest page goes on. 0: nothing more is written in it.
    end: u32,
    /// 0: none.
    epoch: u32,
    /// The last one that was given in this epoch.
    number: u32,
    acknowledged: Place,
    /// The last record that was read, and where what follows it begins.
    read: Read,
    buffer: [u8; ROOM],
}

#[derive(Clone, Copy, Debug)]
struct Page {
    /// 0: not in use.
    life: u32,
    epoch: u32,
    /// Its last record. 0: it has none.
    number: u32,
}

impl Page {
    /// The place of its last record, if it has one.
    fn last(&self) -> Place {
        Place { epoch: self.epoch, number: self.number }
    }
}

const UNUSED: Page = Page { life: 0, epoch: 0, number: 0 };

#[derive(Clone, Copy, Debug)]
struct Read {
    last: Place,
    page: usize,
    at: u32,
}

impl<F: fmt::Debug, const PAGES: usize> fmt::Debug for Spool<F, PAGES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("epoch", &self.epoch)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl<F: NorFlash, const PAGES: usize> Spool<F, PAGES> {
    /// Finds what is there, and begins the next epoch, if there is room for it. Erases nothing that waits.
    pub async fn open(flash: F) -> Result<Self, Refused<F::Error>> {
        const {
            assert!(
                PAGES > LEFT_BY_RECORDS + 1,
                "one page for records, one for the newest, and two kept back"
            )
        };
        assert!(flash.capacity() >= PAGES * F::ERASE_SIZE, "the region is as large as its pages");
        let mut spool = Spool {
            flash,
            pages: [UNUSED; PAGES],
            newest: 0,
            end: 0,
            epoch: 0,
            number: 0,
            acknowledged: Place::default(),
            read: Read { last: Place::default(), page: 0, at: 0 },
            buffer: [0; ROOM],
        };
        for page in 0..PAGES {
            spool.find(page).await?;
        }
        spool.newest = (0..PAGES).max_by_key(|page| spool.pages[*page].life).unwrap_or_default();
        // Where nothing can be written any more, what waits is told all the same.
        match spool.begin().await {
            Ok(_) | Err(Refused::DoesNotKeep | Refused::Flash(_)) => Ok(spool),
            Err(refused) => Err(refused),
        }
    }

    /// What a page has, and what it says was acknowledged.
    async fn find(&mut self, page: usize) -> Result<(), Refused<F::Error>> {
        let second = entry::length::<F>(16) as u32;
        let mut found = self.entry(page, 0, 0).await?;
        if !matches!(found, Found::Entry(Entry { kind: PAGE, .. })) {
            found = self.entry(page, 0, second).await?;
        }
        let Found::Entry(Entry { kind: PAGE, .. }) = found else { return Ok(()) };
        let [life, epoch] = [0, 1].map(|field| self.word(field));
        if life == 0 {
            return Ok(());
        }
        self.acknowledge_at_least(Place { epoch: self.word(2), number: self.word(3) });
        self.pages[page] = Page { life, epoch, number: 0 };
        let mut at = first::<F>();
        while let Some(Entry { kind, next, .. }) = self.next_entry(page, &mut at).await? {
            match kind {
                RECORD => self.pages[page].number = self.pages[page].number.max(self.word(0)),
                ACKNOWLEDGED => {
                    self.acknowledge_at_least(Place { epoch: self.word(0), number: self.word(1) });
                }
                _ => {}
            }
            at = next;
        }
        Ok(())
    }

    /// The next entry from `at` on, which is moved to it, or to where nothing is written. What is no entry is passed over: it was torn,
    /// or has rotted, and then its number is missing.
    async fn next_entry(&mut self, page: usize, at: &mut u32) -> Result<Option<Entry>, F::Error> {
        let life = self.pages[page].life;
        let end = if page == self.newest && self.end != 0 { self.end } else { F::ERASE_SIZE as u32 };
        while *at < end {
            match self.entry(page, life, *at).await? {
                Found::Entry(entry) => return Ok(Some(entry)),
                // A record that has rotted may hold such octets, too.
                Found::Erased if self.is_blank(page, *at, end).await? => return Ok(None),
                Found::Erased | Found::Other => *at += const { entry::word::<F>() } as u32,
            }
        }
        Ok(None)
    }

    /// Whether nothing is written between these two.
    async fn is_blank(&mut self, page: usize, mut from: u32, to: u32) -> Result<bool, F::Error> {
        while from < to {
            let length = ROOM.min((to - from) as usize);
            self.flash.read(address::<F>(page) + from, &mut self.buffer[..length]).await?;
            if self.buffer[..length].iter().any(|octet| *octet != 0xFF) {
                return Ok(false);
            }
            from += length as u32;
        }
        Ok(true)
    }

    async fn entry(&mut self, page: usize, life: u32, at: u32) -> Result<Found, F::Error> {
        entry::read(&mut self.flash, address::<F>(page), life, at, &mut self.buffer).await
    }

    /// The n-th word of the entry in the buffer.
    fn word(&self, n: usize) -> u32 {
        let at = OCTETS + n * 4;
        u32::from_le_bytes([self.buffer[at], self.buffer[at + 1], self.buffer[at + 2], self.buffer[at + 3]])
    }

    fn acknowledge_at_least(&mut self, place: Place) {
        self.acknowledged = self.acknowledged.max(place);
    }

    fn is_free(&self, page: usize) -> bool {
        let Page { life, number, .. } = self.pages[page];
        let waits = number != 0 && self.pages[page].last() > self.acknowledged;
        life == 0 || page != self.newest && !waits
    }

    fn free(&self) -> usize {
        (0..PAGES).filter(|page| self.is_free(*page)).count()
    }

    /// Begins this start's epoch, if it has none, it was adopted and there is room. Whether it has one now.
    pub async fn begin(&mut self) -> Result<bool, Refused<F::Error>> {
        let before = self.pages.iter().map(|page| page.epoch).max().unwrap_or_default();
        match before.checked_add(1) {
            Some(epoch) if self.epoch == 0 && before != 0 && self.free() > 0 => self.start(epoch).await?,
            _ => {}
        }
        Ok(self.epoch != 0)
    }

    /// The hub has given the first epoch. Nothing, if there is one: then it may have missed the answer.
    pub async fn adopt(&mut self, epoch: u32) -> Result<(), Refused<F::Error>> {
        match epoch {
            0 | LAST_FIRST_EPOCH.. => Err(Refused::NoSuchEpoch),
            _ if self.is_adopted() => Ok(()),
            _ => self.start(epoch).await,
        }
    }

    async fn start(&mut self, epoch: u32) -> Result<(), Refused<F::Error>> {
        self.turn(epoch).await?;
        self.epoch = epoch;
        Ok(())
    }

    /// 0: there is none. It was never adopted, or is full.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether any hub has ever adopted it.
    pub fn is_adopted(&self) -> bool {
        self.pages.iter().any(|page| page.life != 0)
    }

    /// Begins another page.
    async fn turn(&mut self, epoch: u32) -> Result<(), Refused<F::Error>> {
        let life = self.pages.iter().map(|page| page.life).max().unwrap_or_default().saturating_add(1);
        let mut trouble = Refused::DoesNotKeep;
        let newest = self.newest;
        for page in (1..=PAGES).map(|further| (newest + further) % PAGES) {
            if !self.is_free(page) {
                continue;
            }
            self.pages[page] = UNUSED;
            if self.read.page == page {
                self.read = Read { last: Place::default(), page: 0, at: 0 };
            }
            match self.begin_page(page, life, epoch).await {
                Ok(true) => return Ok(()),
                // A page that does not keep what is written: the next one may.
                Ok(false) => {}
                Err(error) => trouble = Refused::Flash(error),
            }
        }
        Err(trouble)
    }

    /// Whether the page has kept what it begins with.
    async fn begin_page(&mut self, page: usize, life: u32, epoch: u32) -> Result<bool, F::Error> {
        let from = address::<F>(page);
        self.flash.erase(from, from + F::ERASE_SIZE as u32).await?;
        let fields = [life, epoch, self.acknowledged.epoch, self.acknowledged.number];
        for (place, field) in self.buffer[OCTETS..].chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        // Twice: a bit of it that rots must not take all that is in the page.
        for at in [0, entry::length::<F>(16) as u32] {
            if entry::write(&mut self.flash, from, 0, at, PAGE, 16, &mut self.buffer).await?.is_none() {
                return Ok(false);
            }
        }
        self.pages[page] = Page { life, epoch, number: 0 };
        (self.newest, self.end) = (page, first::<F>());
        Ok(true)
    }

    /// Writes a record. When this returns, it is kept, whatever happens.
    pub async fn append(&mut self, said: &[u8]) -> Result<Place, Refused<F::Error>> {
        self.append_leaving(LEFT_BY_RECORDS, said).await
    }

    /// The same for a note of what was lost for want of room: it has a page of its own.
    pub async fn append_loss(&mut self, said: &[u8]) -> Result<Place, Refused<F::Error>> {
        self.append_leaving(LEFT_BY_LOSSES, said).await
    }

    async fn append_leaving(&mut self, left: usize, said: &[u8]) -> Result<Place, Refused<F::Error>> {
        if self.epoch == 0 {
            return Err(Refused::NoEpoch);
        }
        let octets = 4 + said.len();
        if said.len() > said::LONGEST {
            return Err(Refused::TooLong);
        }
        // A page that a start has begun is kept back as well, and free again at the next one.
        if self.pages[self.newest].number == 0 && self.free() < left {
            return Err(Refused::Full);
        }
        // A number that was tried is not given again: what is written in two places must not be two records.
        let number = self.number + 1;
        for last in [false, true] {
            if self.has_no_room_for(octets) {
                if self.free() <= left {
                    return Err(Refused::Full);
                }
                self.turn(self.epoch).await?;
            }
            self.number = number;
            self.buffer[OCTETS..OCTETS + 4].copy_from_slice(&number.to_le_bytes());
            self.buffer[OCTETS + 4..OCTETS + octets].copy_from_slice(said);
            if self.put(RECORD, octets).await?.is_some() {
                self.pages[self.newest].number = number;
                return Ok(Place { epoch: self.epoch, number });
            }
            if last {
                break;
            }
        }
        Err(Refused::DoesNotKeep)
    }

    fn has_no_room_for(&self, octets: usize) -> bool {
        self.end == 0 || self.end as usize + entry::length::<F>(octets) > F::ERASE_SIZE
    }

    /// Writes the entry in the buffer into the newest page. Where it is not kept, nothing more is written in that page.
    async fn put(&mut self, kind: u8, octets: usize) -> Result<Option<Entry>, F::Error> {
        let at = core::mem::take(&mut self.end);
        let page = self.newest;
        let life = self.pages[page].life;
        let kept =
            entry::write(&mut self.flash, address::<F>(page), life, at, kind, octets, &mut self.buffer)
                .await?;
        self.end = kept.map_or(0, |entry| entry.next);
        Ok(kept)
    }

    /// The hub has committed all records up to this one: they may go. That is kept when this returns, unless the memory is too full even
    /// for that: then what still waits is told again after a start.
    pub async fn acknowledge(&mut self, up_to: Place) -> Result<(), Refused<F::Error>> {
        if up_to <= self.acknowledged {
            return Ok(());
        }
        let last = self.pages.iter().filter(|page| page.number != 0).map(Page::last).max();
        if last.is_none_or(|last| up_to > last) {
            return Err(Refused::NeverTold);
        }
        self.acknowledged = up_to;
        if self.epoch == 0 {
            // The page that begins the epoch says it.
            self.begin().await?;
            return Ok(());
        }
        if self.has_no_room_for(8) {
            // So does a page that only goes on with it.
            return if self.free() == 0 { Ok(()) } else { self.turn(self.epoch).await };
        }
        self.buffer[OCTETS..OCTETS + 4].copy_from_slice(&up_to.epoch.to_le_bytes());
        self.buffer[OCTETS + 4..OCTETS + 8].copy_from_slice(&up_to.number.to_le_bytes());
        if self.put(ACKNOWLEDGED, 8).await?.is_none() && self.free() > 0 {
            self.turn(self.epoch).await?;
        }
        Ok(())
    }

    /// All records up to this one are.
    pub fn acknowledged(&self) -> Place {
        self.acknowledged
    }

    /// The first record after this place that is not acknowledged, as it was written.
    pub async fn after(&mut self, place: Place) -> Result<Option<(Place, &[u8])>, Refused<F::Error>> {
        let place = place.max(self.acknowledged);
        if self.read.last != place || self.read.at == 0 {
            let Some(page) = self.next_page(0, place) else { return Ok(None) };
            self.read = Read { last: place, page, at: first::<F>() };
        }
        loop {
            let Read { page, mut at, .. } = self.read;
            let Page { life, epoch, .. } = self.pages[page];
            while let Some(Entry { kind, octets, next }) = self.next_entry(page, &mut at).await? {
                at = next;
                let found = Place { epoch, number: self.word(0) };
                if kind == RECORD && found > place {
                    self.read = Read { last: found, page, at };
                    return Ok(Some((found, &self.buffer[OCTETS + 4..OCTETS + octets])));
                }
            }
            // What is written next into this page begins here.
            self.read = Read { last: place, page, at };
            let Some(next) = self.next_page(life, place) else { return Ok(None) };
            self.read = Read { last: place, page: next, at: first::<F>() };
        }
    }

    /// The page with records after this place that began first after this life.
    fn next_page(&self, life: u32, place: Place) -> Option<usize> {
        let fits = |page: &usize| {
            let page = self.pages[*page];
            page.life > life && page.number != 0 && page.last() > place
        };
        (0..PAGES).filter(fits).min_by_key(|page| self.pages[*page].life)
    }

    /// How many records wait to be acknowledged.
    pub async fn waiting(&mut self) -> Result<u32, Refused<F::Error>> {
        let (mut waiting, mut place) = (0, self.acknowledged);
        while let Some((next, _)) = self.after(place).await? {
            (waiting, place) = (waiting + 1, next);
        }
        Ok(waiting)
    }
}

/// Where a page's records begin.
fn first<F: NorFlash>() -> u32 {
    2 * entry::length::<F>(16) as u32
}

/// Where a page begins.
fn address<F: NorFlash>(page: usize) -> u32 {
    (page * F::ERASE_SIZE) as u32
}
