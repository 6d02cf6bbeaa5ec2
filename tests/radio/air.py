#!/usr/bin/env python3
"""What is on the air around the hub's machine: two virtual controllers that its kernel may see, and devices. `air.py HOUSE`: no
two houses, 0 to 65535, have the same devices.

Prints one line of JSON when it is ready: the control port, the controllers' ports (H4), and each device's address. It ends
when its standard input does. What happens is told on standard error.

Control: each line is a JSON object, and is answered by one; `{"do": VERB, "device": NAME, ...}`, in `Control` below. Several
connections may be open at once; a line that waits holds up its own connection alone."""
import asyncio
import json
import logging
import sys

from devices import cuffs, meter, scales, wrong
from devices.controller import Air, HubController, noise


class Control:
    """The verbs. Each is a method; what it gives back is the answer."""

    def __init__(self, house):
        self.house = house
        self.link = Air()
        self.happened = asyncio.Event()
        self.hubs = [HubController(f'hub {n}', self.link, f'00:1B:DC:07:31:{n:02}') for n in range(2)]
        kinds = [
            cuffs.Cuff,
            cuffs.Andcuff,
            cuffs.Beurercuff,
            meter.Meter,
            scales.Scale,
            scales.Broadcaster,
            wrong.Wrong,
        ]
        made = [kind(self) for kind in kinds]
        self.devices = {device.key: device for device in made}
        self.noise_task = None

    def changed(self):
        self.happened.set()
        self.happened = asyncio.Event()

    async def answer(self, asked):
        verb = asked.pop('do').replace('-', '_')
        if verb.startswith('_') or verb in ('answer', 'changed', 'serve') or not hasattr(self, verb):
            raise ValueError(f'no verb {verb!r}')
        if 'device' in asked:
            asked['device'] = self.devices[asked['device']]
        said = getattr(self, verb)(**asked)
        return await said if asyncio.iscoroutine(said) else said

    async def serve(self, reader, writer):
        try:
            async for line in reader:
                try:
                    said = {'ok': await self.answer(json.loads(line))}
                except Exception as error:
                    said = {'error': repr(error)}
                writer.write(json.dumps(said).encode() + b'\n')
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    # What there is.

    def list(self):
        return {key: device.state() for key, device in self.devices.items()}

    def state(self, device):
        return device.state()

    async def wait(self, device, until, seconds=60):
        """Until all of these hold; what is counted may be more, but of the records that it still holds. Gives back the state."""

        def holds(state):
            return all(
                state[key] == wanted or (type(wanted) is int and key != 'holds' and state[key] > wanted)
                for key, wanted in until.items()
            )

        async with asyncio.timeout(seconds):
            while not holds(device.state()):
                await self.happened.wait()
        return device.state()

    def told(self, device):
        """What it has handed over, in order."""
        return device.said

    def holds(self, device):
        """The records that it still holds."""
        return device.holds()

    def written(self, device):
        """What was written to it, in order."""
        return device.wrote

    # What is done with a device.

    def advertise(self, device, on=True, seconds=None, every_ms=None, rssi=None):
        advertiser = device.controller.le_legacy_advertiser
        if every_ms is not None:
            advertiser.every = every_ms / 1000
        if rssi is not None:
            advertiser.rssi = rssi
        device.advertise(on, seconds)

    def measure(self, device, n=1, **more):
        """Adds so many records; gives back what they say."""
        return device.measure(n, **more)

    def set(self, device, **what):
        """Changes its ways."""
        for key, value in what.items():
            if not hasattr(device, key):
                raise ValueError(f'{device.key} has no {key!r}')
            setattr(device, key, value)
        device.show()

    def forget(self, device):
        device.forget()

    def change_keys(self, device):
        device.change_keys()

    # What goes wrong: now, or once a stage is reached for the n-th time.

    def fault(self, device, what, at=None, nth=1):
        """drop (as if carried away), hang-up, stall (answers nothing, the link stays), go-on, die (and shows itself no more),
        flood (a thousand values at once)"""
        if at is None:
            device.fault(what)
        else:
            device.faults.append({'do': what, 'at': at, 'nth': nth})

    def send(self, device, hex):
        """Any ATT packet, now."""
        device.send(bytes.fromhex(hex))

    def clear(self, device):
        """No more faults."""
        device.faults.clear()

    # The hub's controllers, and the neighbours.

    def controller(self, n=0, silent=None, power=None, duplicates=None, slots=None):
        hub = self.hubs[n]
        if silent is not None:
            hub.silent = silent
            hub.forget_all()
        if power is not None:
            hub.power = power
            hub.forget_all()
        if duplicates is not None:
            hub.duplicates = duplicates
        if slots is not None:
            hub.slots = slots
        return {'reports': hub.reports, 'scans': hub.le_scan_enable, 'active': bool(hub.le_scan_type)}

    def noise(self, per_second, devices=100):
        if self.noise_task:
            self.noise_task.cancel()
        self.noise_task = per_second and asyncio.ensure_future(noise(self.link, devices, per_second))


async def main():
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    control = Control(int(sys.argv[1]))
    for device in control.devices.values():
        await device.start()
    server = await asyncio.start_server(control.serve, '127.0.0.1', 0, limit=1 << 20)
    ready = {
        'control': server.sockets[0].getsockname()[1],
        'controllers': [await hub.listen() for hub in control.hubs],
        'devices': {key: device.address for key, device in control.devices.items()},
    }
    print(json.dumps(ready), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
