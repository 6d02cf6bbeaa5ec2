"""Python's decoders on the frames of gateway/core/benches/throughput.rs: NAME, frames a second, one row each."""

import datetime
import json
import pathlib
import struct
import time

MEASUREMENTS = ("2A35", "2B34", "2A18", "2A34", "2A9D", "2A9C", "2A1C", "2A5E", "2A37")


def frames():
    rows = []
    for file in sorted(pathlib.Path("firmware/wire/vectors").glob("*.json")):
        for row in json.loads(file.read_text()):
            if row.get("characteristic") in MEASUREMENTS and row["conformance"] == "conformant":
                rows.append((row["characteristic"], bytes.fromhex(row["hex"])))
    return rows


# A decoder as examples for bleak have them: flags, struct, and a float.


def sfloat(raw):
    mantissa, exponent = raw & 0x0FFF, raw >> 12
    mantissa -= (mantissa & 0x0800) << 1
    exponent -= (exponent & 0x08) << 1
    return mantissa * 10.0**exponent


def date(octets, at):
    try:
        return datetime.datetime(*struct.unpack_from("<HBBBBB", octets, at))
    except ValueError:
        return None


def pressure(octets):
    flags, systolic, diastolic, mean = struct.unpack_from("<BHHH", octets)
    told, at = {"unit": "kPa" if flags & 1 else "mmHg"}, 7
    told.update(systolic=sfloat(systolic), diastolic=sfloat(diastolic), mean=sfloat(mean))
    if flags & 2:
        told["time"] = date(octets, at)
        at += 7
    if flags & 4:
        told["pulse"] = sfloat(*struct.unpack_from("<H", octets, at))
        at += 2
    if flags & 8:
        told["user"] = octets[at]
        at += 1
    if flags & 16:
        (told["status"],) = struct.unpack_from("<H", octets, at)
    return told


def enhanced(octets):
    flags, systolic, diastolic, mean = struct.unpack_from("<BHHH", octets)
    told, at = {"unit": "kPa" if flags & 1 else "mmHg"}, 7
    told.update(systolic=sfloat(systolic), diastolic=sfloat(diastolic), mean=sfloat(mean))
    for bit, name, layout in ((2, "time", "<I"), (4, "pulse", "<H"), (8, "user", "<B"), (16, "status", "<H"), (32, "shown", "<I")):
        if flags & bit:
            (told[name],) = struct.unpack_from(layout, octets, at)
            at += struct.calcsize(layout)
    return told


def glucose(octets):
    flags, sequence = struct.unpack_from("<BH", octets)
    told, at = {"sequence": sequence, "time": date(octets, 3)}, 10
    if flags & 1:
        (told["offset"],) = struct.unpack_from("<h", octets, at)
        at += 2
    if flags & 2:
        raw, kind = struct.unpack_from("<HB", octets, at)
        told.update(concentration=sfloat(raw), type=kind & 15, location=kind >> 4)
        told["unit"] = "mol/L" if flags & 4 else "kg/L"
        at += 3
    if flags & 8:
        (told["status"],) = struct.unpack_from("<H", octets, at)
    return told


def context(octets):
    flags, sequence = struct.unpack_from("<BH", octets)
    told, at = {"sequence": sequence}, 3 + (flags >> 7)
    for bit, name, layout in ((1, "carbohydrate", "<BH"), (2, "meal", "<B"), (4, "tester", "<B"), (8, "exercise", "<HB"), (16, "medication", "<BH"), (64, "hba1c", "<H")):
        if flags & bit:
            told[name] = struct.unpack_from(layout, octets, at)
            at += struct.calcsize(layout)
    return told


def weight(octets):
    flags, raw = struct.unpack_from("<BH", octets)
    told, at = {"weight": raw * (0.01 if flags & 1 else 0.005)}, 3
    if flags & 2:
        told["time"] = date(octets, at)
        at += 7
    if flags & 4:
        told["user"] = octets[at]
        at += 1
    if flags & 8:
        index, height = struct.unpack_from("<HH", octets, at)
        told.update(index=index * 0.1, height=height * (0.1 if flags & 1 else 0.001))
    return told


def composition(octets):
    flags, fat = struct.unpack_from("<HH", octets)
    told, at = {"fat": fat * 0.1}, 4
    if flags & 2:
        told["time"] = date(octets, at)
        at += 7
    if flags & 4:
        told["user"] = octets[at]
        at += 1
    mass = 0.01 if flags & 1 else 0.005
    # Basal metabolism, muscle percentage, four masses and body water, impedance, weight, height.
    for bit, scale in enumerate((1, 0.1, mass, mass, mass, mass, 0.1, mass, 0.001), start=3):
        if flags >> bit & 1:
            (raw,) = struct.unpack_from("<H", octets, at)
            told[bit] = raw * scale
            at += 2
    return told


def temperature(octets):
    flags, raw = struct.unpack_from("<BI", octets)
    mantissa, exponent = raw & 0xFFFFFF, raw >> 24
    mantissa -= (mantissa & 0x800000) << 1
    exponent -= (exponent & 0x80) << 1
    told, at = {"temperature": mantissa * 10.0**exponent, "unit": "F" if flags & 1 else "C"}, 5
    if flags & 2:
        told["time"] = date(octets, at)
        at += 7
    if flags & 4:
        told["place"] = octets[at]
    return told


def oximetry(octets):
    flags, saturation, pulse = struct.unpack_from("<BHH", octets)
    told, at = {"saturation": sfloat(saturation), "pulse": sfloat(pulse)}, 5
    if flags & 1:
        told["time"] = date(octets, at)
        at += 7
    if flags & 2:
        (told["status"],) = struct.unpack_from("<H", octets, at)
        at += 2
    if flags & 4:
        told["sensor"] = int.from_bytes(octets[at : at + 3], "little")
        at += 3
    if flags & 8:
        told["amplitude"] = sfloat(*struct.unpack_from("<H", octets, at))
    return told


def heart_rate(octets):
    flags = octets[0]
    told, at = {"rate": octets[1]}, 2
    if flags & 1:
        (told["rate"],) = struct.unpack_from("<H", octets, 1)
        at = 3
    if flags & 8:
        (told["energy"],) = struct.unpack_from("<H", octets, at)
        at += 2
    if flags & 16:
        told["intervals"] = [raw / 1024 for (raw,) in struct.iter_unpack("<H", octets[at:])]
    return told


DECODERS = dict(zip(MEASUREMENTS, (pressure, enhanced, glucose, context, weight, composition, temperature, oximetry, heart_rate)))


def row(name, once, passes):
    best = float("inf")
    for _ in range(7):
        begun = time.perf_counter()
        for _ in range(passes):
            read = once()
        best = min(best, time.perf_counter() - begun)
    print(f"{name}\t{passes * read / best:.0f}", flush=True)


def by_struct():
    for characteristic, octets in FRAMES:
        DECODERS[characteristic](octets)
    return len(FRAMES)


def with_library():
    import logging

    from bluetooth_sig import BluetoothSIGTranslator

    logging.disable(logging.CRITICAL)
    translator = BluetoothSIGTranslator()
    readable = []
    for characteristic, octets in FRAMES:
        try:
            translator.parse_characteristic(characteristic, octets)
            readable.append((characteristic, octets))
        except Exception:
            pass

    def once():
        for characteristic, octets in readable:
            translator.parse_characteristic(characteristic, octets)
        return len(readable)

    row(f"Python, bluetooth-sig ({len(readable)} of {len(FRAMES)} frames)", once, 20)


FRAMES = frames()
row("Python, struct", by_struct, 200)
try:
    with_library()
except ImportError:
    pass
