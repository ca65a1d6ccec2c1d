#!/bin/sh
# Unpacks one Debian package with everything it depends on into a private folder and leaves the host's packages alone.
# Needs no root. Uses the mirror that the host's apt already uses; apt checks the signatures with Debian's keyring.
#
# Usage: get-debian.sh FOLDER SUITE PACKAGE BINARY_FOLDER BINARY...
#   FOLDER          is created; FOLDER/root becomes a little system, FOLDER/bin has a wrapper for each binary
#   SUITE           the Debian release to take the package from (trixie, sid)
#   BINARY_FOLDER   where the package has its programs, without the leading slash (usr/bin)
#   BINARY          a program to wrap
# Exit codes: 3 no mirror, keyring or tools; 4 the package has no such program; else the failing command's.
set -eu
[ $# -ge 5 ] || { echo "usage: $0 FOLDER SUITE PACKAGE BINARY_FOLDER BINARY..." >&2; exit 2; }
folder=$1 suite=$2 package=$3 binaries=$4
shift 4

for tool in apt-get dpkg dpkg-deb; do
  command -v $tool >/dev/null || { echo "$tool is not on this machine" >&2; exit 3; }
done
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keyring ] || { echo "Debian's keyring is not on this machine ($keyring)" >&2; exit 3; }
# Either style of apt sources: "URIs: http://…/debian" or "deb [options] http://…/debian suite main".
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  sed -nE 's#^(URIs:|deb( \[[^]]*\])?) +(https?://[^ ]*/debian/?)( .*)?$#\3#p' | sed -n 1p)
[ -n "$mirror" ] || { echo "no Debian mirror in this machine's apt configuration" >&2; exit 3; }

mkdir -p "$folder/root" "$folder/bin"
folder=$(cd "$folder" && pwd)
apt=$folder/apt
for part in etc/apt/preferences.d etc/apt/trusted.gpg.d etc/apt/sources.list.d etc/apt/apt.conf.d \
  var/lib/apt/lists/partial var/cache/apt/archives/partial var/lib/dpkg; do
  mkdir -p "$apt/$part"
done

# An apt of its own, with nothing installed: so that it downloads every dependency, the C library included.
: > "$apt/var/lib/dpkg/status"
echo "deb [signed-by=$keyring] $mirror $suite main" > "$apt/etc/apt/sources.list"
cat > "$apt/apt.conf" <<CONF
Dir "$apt";
Dir::State::status "$apt/var/lib/dpkg/status";
APT::Architecture "$(dpkg --print-architecture)";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "3";
CONF
export APT_CONFIG="$apt/apt.conf"
apt-get update -qq
apt-get install -y --download-only -qq "$package" >/dev/null
for archive in "$apt"/var/cache/apt/archives/*.deb; do
  case ${archive##*/} in
    # Large, and no server needs them.
    systemd_* | debconf_* | libsystemd-shared* | libc-gconv* | perl* | libperl* | libllvm*) ;;
    *) dpkg-deb -x "$archive" "$folder/root" ;;
  esac
done
rm -rf "$apt"

# The programs run on the unpacked C library. Each is moved aside for a wrapper of its name, because some look for their
# companions beside themselves; the wrapper finds its way from where it lies, so the folder may be moved.
depth=$(echo "$binaries" | sed 's#[^/][^/]*#..#g')
libraries=usr/lib/$(uname -m)-linux-gnu
for name in "$@"; do
  program=$folder/root/$binaries/$name
  [ -f "$program" ] || { echo "package $package has no $binaries/$name" >&2; exit 4; }
  mv "$program" "$program.program"
  cat > "$program" <<WRAPPER
#!/bin/sh
here=\$(cd "\$(dirname "\$0")" && pwd)
libraries=\$here/$depth/$libraries
exec "\$libraries"/ld-linux*.so.? --library-path "\$libraries" --argv0 "\$here/$name" "\$here/$name.program" "\$@"
WRAPPER
  chmod 755 "$program"
  cat > "$folder/bin/$name" <<WRAPPER
#!/bin/sh
exec "\$(dirname "\$0")/../root/$binaries/$name" "\$@"
WRAPPER
  chmod 755 "$folder/bin/$name"
done
