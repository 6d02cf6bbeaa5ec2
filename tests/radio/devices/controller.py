"""The air between virtual controllers: those of the devices, and those that the hub's kernel sees.

bumble's own controller is made for bumble's own host. What Linux needs besides, or what a test must be able to change, is here."""
import asyncio
import random

from bumble import core, hci, ll
from bumble.controller import Controller, LegacyAdvertiser
from bumble.link import LocalLink
from bumble.transport.common import PacketParser

# No extended advertising: Linux then uses the plain commands, and one report is one packet.
FEATURES = hci.LeFeatureMask.LE_ENCRYPTION | hci.LeFeatureMask.PERIPHERAL_INITIATED_FEATURE_EXCHANGE
SUPERVISION_TIMEOUT = 0x08
HUNG_UP = 0x13
HUNG_UP_BY_ITSELF = 0x16


class Air(LocalLink):
    """Who hears whom."""

    def __init__(self):
        super().__init__()
        self.hubs = []

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        # bumble says the sender's random address, but Linux connects from its public one.
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is None or receiver is None:
            return
        if getattr(sender_controller, 'stalled', False) or getattr(receiver, 'stalled', False):
            return
        asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, connection.self_address, transport, data)

    def send_ll_control_pdu(self, sender_address, receiver_address, packet):
        if self.find_le_controller(receiver_address):
            super().send_ll_control_pdu(sender_address, receiver_address, packet)


class Advertiser(LegacyAdvertiser):
    """Says its data to every hub, every so often."""

    every = 0.1
    rssi = -50
    connectable = True
    # Told when a hub that scans has heard it.
    on_heard = None

    def _on_timer_fired(self):
        self.send_advertising_data()
        self.timer_handle = asyncio.get_running_loop().call_later(self.every, self._on_timer_fired)

    @property
    def address(self):
        return self.controller.random_address

    def send_advertising_data(self):
        if self.enabled:
            for hub in self.controller.link.hubs:
                asyncio.get_running_loop().call_soon(hub.hear, self)


class DeviceController(Controller):
    """Under a device. Stalled: nothing goes in or out of a link that stays up."""

    le_features = FEATURES
    stalled = False

    def __init__(self, name, link):
        super().__init__(name, link=link)
        self.le_legacy_advertiser = Advertiser(self)

    def end(self, reason):
        """Ends the link. By timeout both sides are told the same."""
        for connection in list(self.le_connections.values()):
            other = self.link.find_le_controller(connection.peer_address)
            theirs = other and other.le_connections.get(connection.self_address)
            if theirs:
                other.on_le_disconnected(theirs, reason)
            self.on_le_disconnected(connection, reason if reason == SUPERVISION_TIMEOUT else HUNG_UP_BY_ITSELF)


class HubController(Controller):
    """What the hub's kernel sees, by H4 over a TCP port."""

    le_features = FEATURES
    # Answers nothing.
    silent = False
    # Pulled out: it says nothing, and has forgotten all.
    power = True
    # What its duplicate filter goes by: none, address or data. Real ones differ.
    duplicates = 'none'
    # How many connections it can hold.
    slots = 8

    def __init__(self, name, link, address):
        super().__init__(name, link=link, public_address=address)
        self.accepted = set()
        self.seen = set()
        self.reports = 0
        self.writer = None
        link.hubs.append(self)

    async def listen(self):
        server = await asyncio.start_server(self.plugged, '127.0.0.1', 0)
        return server.sockets[0].getsockname()[1]

    async def plugged(self, reader, writer):
        self.forget_all()
        self.writer = writer
        self.host = self
        parser = PacketParser(self)
        try:
            while octets := await reader.read(65536):
                parser.feed_data(octets)
        except (ConnectionError, core.InvalidPacketError):
            pass
        finally:
            writer.close()
            if self.writer is writer:
                self.writer = None
                self.forget_all()

    def on_packet(self, packet):
        if self.power and not self.silent:
            super().on_packet(packet)

    def send_hci_packet(self, packet):
        if self.writer and self.power and not self.silent:
            self.writer.write(bytes(packet))

    def forget_all(self):
        """As after a reset: no scan, and all links break."""
        self.le_scan_enable = False
        self.pending_le_connection = None
        self.accepted.clear()
        for connection in list(self.le_connections.values()):
            other = self.link.find_le_controller(connection.peer_address)
            theirs = other and other.le_connections.get(connection.self_address)
            if theirs:
                other.on_le_disconnected(theirs, SUPERVISION_TIMEOUT)
            del self.le_connections[connection.peer_address]

    def hear(self, who):
        """An advertisement, by whoever has `address`, `advertising_data`, `scan_response_data`, `rssi` and `connectable`."""
        if self.silent or not self.power or not who.enabled:
            return
        address = who.address
        if self.le_scan_enable and (not self.le_scanning_filter_policy & 1 or address in self.accepted):
            self.report(who, address)
        wanted = self.pending_le_connection
        if wanted and who.connectable:
            listed = wanted.initiator_filter_policy and address in self.accepted
            if listed or (not wanted.initiator_filter_policy and wanted.peer_address == address):
                wanted.peer_address = address
                self.create_le_connection(address)

    def report(self, who, address):
        if self.filter_duplicates and self.duplicates != 'none':
            key = (bytes(address), bytes(who.advertising_data) if self.duplicates == 'data' else b'')
            if key in self.seen:
                return
            self.seen.add(key)
        kinds = hci.HCI_LE_Advertising_Report_Event.EventType
        said = [(kinds.ADV_IND if who.connectable else kinds.ADV_NONCONN_IND, who.advertising_data)]
        if self.le_scan_type and who.connectable:
            said.append((kinds.SCAN_RSP, who.scan_response_data))
        if who.on_heard:
            who.on_heard()
        for kind, data in said:
            self.reports += 1
            report = hci.HCI_LE_Advertising_Report_Event.Report(
                event_type=kind, address_type=address.address_type, address=address, data=bytes(data), rssi=who.rssi
            )
            self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))

    def on_hci_reset_command(self, command):
        self.forget_all()
        return super().on_hci_reset_command(command)

    def on_hci_le_set_scan_enable_command(self, command):
        self.seen.clear()
        return super().on_hci_le_set_scan_enable_command(command)

    def on_hci_le_clear_filter_accept_list_command(self, command):
        self.accepted.clear()
        return super().on_hci_le_clear_filter_accept_list_command(command)

    def on_hci_le_add_device_to_filter_accept_list_command(self, command):
        self.accepted.add(command.address)
        return super().on_hci_le_add_device_to_filter_accept_list_command(command)

    def on_hci_le_remove_device_from_filter_accept_list_command(self, command):
        self.accepted.discard(command.address)
        return super().on_hci_le_remove_device_from_filter_accept_list_command(command)

    def on_hci_le_remove_device_from_resolving_list_command(self, command):
        # bumble knows only how to add one.
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_le_create_connection_command(self, command):
        if len(self.le_connections) >= self.slots:
            self._send_hci_command_status(hci.HCI_ErrorCode.CONNECTION_LIMIT_EXCEEDED_ERROR, command.op_code)
            return None
        return super().on_hci_le_create_connection_command(command)

    def on_hci_le_create_connection_cancel_command(self, command):
        # bumble forgets to end what it cancels.
        wanted, self.pending_le_connection = self.pending_le_connection, None
        if not wanted:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        ended = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=wanted.peer_address.address_type,
            peer_address=wanted.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, ended)
        return super().on_hci_le_create_connection_cancel_command(command)

    def on_hci_disconnect_command(self, command):
        connection = self.find_le_connection_by_handle(command.connection_handle)
        if connection is None:
            self._send_hci_command_status(hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR, command.op_code)
            return None
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        connection.send_ll_control_pdu(ll.TerminateInd(command.reason))
        # The one who hangs up is told so.
        self.on_le_disconnected(connection, HUNG_UP_BY_ITSELF)
        return None


class Stranger:
    """One of the neighbours, who only advertises."""

    enabled = True
    connectable = False
    scan_response_data = b''
    on_heard = None

    def __init__(self, dice):
        self.address = hci.Address(bytes(dice.randrange(256) for _ in range(5)) + bytes([0xC0 | dice.randrange(64)]))
        self.rssi = -60 - dice.randrange(35)
        self.advertising_data = bytes([2, 1, 6, 26, 0xFF]) + bytes(dice.randrange(256) for _ in range(25))


async def noise(air, devices, per_second):
    """Neighbours who say something all the time; the last octets change with each word."""
    dice = random.Random(7)
    strangers = [Stranger(dice) for _ in range(devices)]
    loop = asyncio.get_running_loop()
    started, said = loop.time(), 0
    while True:
        while said < (loop.time() - started) * per_second:
            stranger = strangers[said % devices]
            stranger.advertising_data = stranger.advertising_data[:-4] + said.to_bytes(4, 'little')
            for hub in air.hubs:
                hub.hear(stranger)
            said += 1
        await asyncio.sleep(0.005)
