//! `device`: what each device said of itself.

use super::{Result, Rows, sound};
use crate::store::blind::Blinded;
use crate::store::error::unreadable;
use crate::store::payload::{DeviceRow, KeptRow};
use crate::store::{Place, StoreError};
use hearth_core::admit::Device;
use hearth_core::capture::{DeviceNo, Link};
use hearth_core::identity::Facts;
use hearth_core::radio::Kept;
use hearth_core::when::HubTicks;
use rusqlite::params;

impl Rows<'_> {
    /// By what a device is met again: its address; where the source knows none (wired, replayed), the first of
    /// system id, serial number and label that it gives.
    fn handle(&self, facts: &Facts) -> Result<Blinded> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
        let (kind, octets) = if let Some(address) = facts.address {
            ("address", address.octets.to_vec())
        } else if let Some(system_id) = facts.system_id {
            ("system-id", system_id.0.to_vec())
        } else if facts.serial.is_some() {
            ("serial", [text(&facts.manufacturer), vec![0x1F], text(&facts.serial)].concat())
        } else if facts.advertised_name.is_some() {
            ("label", text(&facts.advertised_name))
        } else {
            return Err(StoreError::Unknown("device: it gave neither address nor name"));
        };
        Ok(self.blind("handle", &[kind.as_bytes(), &octets]))
    }

    pub(crate) fn device_by_handle(&self, facts: &Facts) -> Result<Option<DeviceNo>> {
        let handle = self.handle(facts)?;
        let sql = format!("SELECT no, {} FROM device NOT INDEXED WHERE handle = ?1", sound("device"));
        self.one(&sql, [handle], |row| Ok(DeviceNo(row.get(0)?)))
    }

    pub(crate) fn make_device(&self, facts: &Facts, at: HubTicks) -> Result<DeviceNo> {
        let no = self.next("device")?;
        let sealed = self.shut("device", "sealed", no, &DeviceRow::new(facts, at));
        self.run(
            "INSERT INTO device (no, handle, met_boot, met_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![no, self.handle(facts)?, at.boot.0, at.ms, sealed],
        )?;
        Ok(DeviceNo(no))
    }

    fn device_row(&self, no: DeviceNo) -> Result<DeviceRow> {
        let sealed: Vec<u8> = self
            .one(&format!("SELECT sealed, {} FROM device WHERE no = ?1", sound("device")), [no.0], |row| {
                row.get(0)
            })?
            .ok_or(StoreError::Unknown("device"))?;
        self.open("device", "sealed", no.0, &sealed)
    }

    pub(crate) fn device(&self, no: DeviceNo) -> Result<Device> {
        Ok(self.device_row(no)?.device(no))
    }

    /// The facts of a device that a later word contradicted; the first word stands.
    pub(crate) fn contradicted(&self, no: DeviceNo) -> Result<Vec<String>> {
        Ok(self.device_row(no)?.contradicted().into_iter().collect())
    }

    /// The device said more of itself. `contradicts`: what it said otherwise before.
    pub(crate) fn device_told(
        &self,
        device: &Device,
        contradicts: &[&'static str],
        at: HubTicks,
    ) -> Result<()> {
        let row = self.device_row(device.no)?.told(device, contradicts, at);
        self.write_device(device.no, &row)
    }

    /// The device is understood otherwise, and said nothing new.
    pub(crate) fn device_judged(&self, device: &Device) -> Result<()> {
        let row = self.device_row(device.no)?.judged(device);
        self.write_device(device.no, &row)
    }

    fn write_device(&self, no: DeviceNo, row: &DeviceRow) -> Result<()> {
        let sealed = self.shut("device", "sealed", no.0, row);
        self.run("UPDATE device SET sealed = ?2 WHERE no = ?1", params![no.0, sealed])?;
        Ok(())
    }

    /// What the radio keeps of it. `None`: it is not of the house.
    pub(crate) fn kept(&self, no: DeviceNo) -> Result<Option<Kept>> {
        let sql = format!("SELECT cache, {} FROM device WHERE no = ?1", sound("device"));
        let cache: Option<Option<Vec<u8>>> = self.one(&sql, [no.0], |row| row.get(0))?;
        let Some(cache) = cache.flatten() else { return Ok(None) };
        let place = Place { table: "device", column: "cache", row: no.0 };
        let row: KeptRow = self.open("device", "cache", no.0, &cache)?;
        Kept::try_from(row).map(Some).map_err(|why| unreadable(place, why))
    }

    pub(crate) fn keep(&self, no: DeviceNo, kept: Option<&Kept>) -> Result<()> {
        let cache = kept.map(|kept| self.shut("device", "cache", no.0, &KeptRow::from(kept)));
        self.run("UPDATE device SET cache = ?2 WHERE no = ?1", params![no.0, cache])?;
        Ok(())
    }

    pub(crate) fn bonded(&self, no: DeviceNo, link: Link) -> Result<()> {
        if link == Link::Bonded {
            self.run("UPDATE device SET bond = 'bonded' WHERE no = ?1 AND bond <> 'bonded'", [no.0])?;
        }
        Ok(())
    }

    pub(crate) fn devices(&self) -> Result<Vec<DeviceNo>> {
        self.all("SELECT no FROM device ORDER BY no", [], |row| Ok(DeviceNo(row.get(0)?)))
    }
}
