"""Seeds torrents with libtorrent for a comparison. Arguments: save path, then .torrent files. Prints the port."""
import sys
import time

import libtorrent as lt

settings = lt.high_performance_seed()
settings.update({
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "allow_multiple_connections_per_ip": True,
    "unchoke_slots_limit": -1,
    "max_allowed_in_request_queue": 5000,
    "seed_choking_algorithm": lt.seed_choking_algorithm_t.round_robin,
})
session = lt.session(settings)
for torrent in sys.argv[2:]:
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
    params.save_path = sys.argv[1]
    params.flags = lt.torrent_flags.seed_mode | lt.torrent_flags.upload_mode
    params.flags &= ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused
    session.add_torrent(params)
while session.listen_port() == 0:
    time.sleep(0.05)
time.sleep(1)
print(session.listen_port(), flush=True)
sys.stdin.read()
