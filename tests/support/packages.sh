# shellcheck shell=bash
# Debian packages for the throw-away mail servers of the tests: unpacked, not installed, so that the
# two of them, which Debian will not install side by side, are both there. Source it; it needs die().

# download_packages FOLDER NAME...: the .deb files, into FOLDER.
download_packages() {
  local folder=$1 log=$1/download.log
  shift
  (cd "$folder" && apt-get -qq -o APT::Sandbox::User=root download "$@") >"$log" 2>&1 ||
    { apt-get -qq update && cd "$folder" && apt-get -qq -o APT::Sandbox::User=root download "$@"; } >"$log" 2>&1 ||
    { cat "$log" >&2; die "cannot download: $*"; }
}

# install_with DEB NAME...: the packages NAME, and the libraries that the programs in DEB are linked
# with, without the package itself.
install_with() {
  local deb=$1 missing=() package log
  shift
  for package in "$@" $(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed -n 's/^ *\(lib[^ (]*\).*/\1/p'); do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  log=$(dirname "$deb")/install.log
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 --no-install-recommends install \
    "${missing[@]}" >"$log" 2>&1 || { cat "$log" >&2; die "cannot install: ${missing[*]}"; }
}
