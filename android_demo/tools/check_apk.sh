#!/usr/bin/env bash
# check_apk.sh APK: is the APK what this project promises? One line on stderr and status 1 where it is not.
# tools/steps.xml, which `mvn verify` goes through, sets the variables.
set -euo pipefail
apk=$(realpath "$1")
cd "$(dirname "$0")/.."
most_bytes=15000000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "$(basename "$apk"): $1" >&2
  exit 1
}

check_size() {
  local bytes
  bytes=$(stat -c %s "$apk")
  [ "$bytes" -lt $most_bytes ] || fail "$bytes bytes, but the app is to stay under $most_bytes"
}

check_signature() {
  apksigner verify -v "$apk" > "$work/signature" 2>&1 ||
    fail "apksigner does not verify it: $(grep -m 1 ERROR "$work/signature" || head -1 "$work/signature")"
  grep -q 'v2 scheme.*: true' "$work/signature" || fail "not signed with APK Signature Scheme v2"
}

check_stored() {
  local name
  name=$(unzip -v "$apk" | awk '$2 != "Stored" { $1 = $2 = $3 = $4 = $5 = $6 = $7 = ""; print }' |
    grep -m 1 -o -E '(assets/.*\.tflite|lib/.*\.so|resources\.arsc)$' || true)
  [ -z "$name" ] || fail "$name is compressed, so that Android cannot map it into memory"
  zipalign -c -p 4 "$apk" > /dev/null || fail "zipalign -c -p 4: files stored as they are do not begin at multiples of 4 bytes (libraries: of a page)"
}

expect() { # expect WHAT PATTERN: a line of the badging matches
  grep -q -E "$2" "$work/badging" || fail "aapt2 dump badging does not show $1"
}

check_badging() {
  local abis feature
  aapt2 dump badging "$apk" > "$work/badging" 2> /dev/null || fail "aapt2 cannot read it"
  expect "package $PACKAGE, version $VERSION_CODE, $VERSION_NAME" \
    "^package: name='$PACKAGE' versionCode='$VERSION_CODE' versionName='$VERSION_NAME' "
  expect "minSdkVersion $MIN_SDK" "^sdkVersion:'$MIN_SDK'"
  expect "targetSdkVersion $TARGET_SDK" "^targetSdkVersion:'$TARGET_SDK'"
  expect "a label of the app" "^application-label:'.+'"
  expect "an activity to start" "^launchable-activity: name='$PACKAGE\."
  abis=$(sed -n "s/^native-code: //p" "$work/badging" | tr -d "'")
  [ "$(sorted "$abis")" = "$(sorted "$ABIS")" ] || fail "has libraries for '$abis', expected '$ABIS'"
  ! grep -q -E "^uses-permission.*'android.permission.INTERNET'" "$work/badging" ||
    fail "asks for android.permission.INTERNET, but nothing may leave the phone"
  feature=$(sed -n "s/^ *uses-implied-feature: name='\([^']*\)'.*/\1/p" "$work/badging" | grep -v -m 1 faketouch || true)
  [ -z "$feature" ] || fail "is kept from phones without $feature, as a permission asks for it: add it with required=\"false\""
}

sorted() {
  tr ' ' '\n' <<< "$1" | sort | xargs
}

check_libraries() {
  local aar=target/aar/tensorflow-lite-$TFLITE_VERSION.aar name
  while read -r name; do
    unzip -p "$aar" "jni/${name#lib/}" > "$work/theirs" 2> /dev/null || fail "$name is not a library of $(basename "$aar")"
    unzip -p "$apk" "$name" | cmp -s - "$work/theirs" || fail "$name differs from the one in $(basename "$aar")"
  done < <(unzip -Z1 "$apk" 'lib/*')
}

check_assets() {
  local name
  mkdir -p "$work/assets"
  unzip -q "$apk" 'assets/*' -d "$work" 2> /dev/null || true
  name=$(diff <(listing app/src/main/assets) <(listing "$work/assets") | sed -n 's/^[<>] [0-9a-f]* *\*\?//p' | head -1 || true)
  [ -z "$name" ] || fail "assets/${name#./} is not as app/src/main/assets has it"
}

listing() {
  [ ! -d "$1" ] || (cd "$1" && find . -type f ! -name '.*' -exec sha256sum {} + | sort -k 2)
}

check_content() {
  local name classes
  name=$(unzip -Z1 "$apk" | grep -m 1 -i -E '\.(keystore|jks|p12|pk8|pem)$' || true)
  [ -z "$name" ] || fail "$name may be a signing key, which is not to be given away"
  unzip -qo "$apk" 'classes*.dex' -d "$work" 2> /dev/null || fail "has no classes.dex"
  for name in "$work"/classes*.dex; do
    dexdump "$name" 2> /dev/null | sed -n "s/.*Class descriptor  : 'L\(.*\);'/\1/p" | tr / .
  done > "$work/classes"
  classes=$(grep -m 1 -E '^(org\.junit|junit|org\.bytedeco|org\.robolectric|androidx\.test)\.' "$work/classes" || true)
  [ -z "$classes" ] || fail "contains $classes, which is for tests only"
  while read -r name; do
    grep -q -x -F "${name/#./$PACKAGE.}" "$work/classes" || fail "the manifest names ${name/#./$PACKAGE.}, but there is no such class"
  done < <(aapt2 dump xmltree --file AndroidManifest.xml "$apk" 2> /dev/null | components)
}

# The classes that the manifest names: the name attributes of the application and of its components.
components() {
  awk '/^ *E: / { of = $2 } of ~ /^(application|activity|service|provider|receiver)$/ && /android:name\(/' |
    sed 's/.*:name([^)]*)="\([^"]*\)".*/\1/'
}

[ -f "$apk" ] || fail "no such file"
check_size
check_stored
check_signature
check_badging
check_libraries
check_content
check_assets
