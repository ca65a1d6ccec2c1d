"""Leeches torrents with libtorrent, its settings as they are by default: uTP before TCP, encrypted before plain. Arguments:
save path, port for peers, .torrent files. For each line of its input it prints a line:
{infohash: [payload bytes received, peers]}."""
import json
import sys

import libtorrent as lt

folder, port, files = sys.argv[1], sys.argv[2], sys.argv[3:]
session = lt.session({
    "listen_interfaces": "127.0.0.1:" + port,
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
})
handles = {}
for file in files:
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(file)
    params.save_path = folder
    handles[str(params.ti.info_hash())] = session.add_torrent(params)
print("ready", flush=True)
for _ in sys.stdin:
    said = {}
    for info_hash, handle in handles.items():
        status = handle.status()
        said[info_hash] = [status.total_payload_download, status.num_peers]
    print(json.dumps(said), flush=True)
