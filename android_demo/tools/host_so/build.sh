#!/usr/bin/env bash
# Lets this host load the TFLite library that the APK carries: build.sh x86_64|arm64-v8a -> target/host_so/ABI
# A copy is patched, for tests alone; the APK's stays as it is. arm64-v8a needs Debian's gcc-aarch64-linux-gnu,
# libc6-dev-arm64-cross and, to run it, qemu-user.
set -euo pipefail
cd "$(dirname "$0")/../.."
abi=$1 here=tools/host_so out=target/host_so/$1
version=$(sed -n 's|.*<tflite.version>\(.*\)</tflite.version>.*|\1|p' pom.xml)
case $abi in
  x86_64) compiler=gcc ;;
  arm64-v8a) compiler=aarch64-linux-gnu-gcc ;;
  *) echo "no compiler for $abi; expected x86_64 or arm64-v8a" >&2; exit 2 ;;
esac
mkdir -p "$out"
# Under the names that the library asks for. Debian's own libraries answer through them.
"$compiler" -shared -fPIC -O1 -Wall -Wextra -Wl,-soname,libc.so -o "$out/libc.so" $here/shim.c -ldl
for name in libm libdl liblog; do
  "$compiler" -shared -fPIC -Wl,-soname,$name.so -Wl,--no-as-needed -o "$out/$name.so" -x c /dev/null -lm -ldl
done
"$compiler" -O1 -Wall -Wextra -Wno-pedantic -o "$out/run_model" $here/run_model.c -ldl -lm
python3 $here/unbionic.py "target/aar/tensorflow-lite-$version/jni/$abi/libtensorflowlite_jni.so" "$out/libtensorflowlite_jni.so"
