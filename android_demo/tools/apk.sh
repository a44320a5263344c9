#!/usr/bin/env bash
# Steps of the Maven build, called by tools/steps.xml, which sets the variables:
#   apk.sh tools       are the programs there that the other steps call?
#   apk.sh resources   resources, manifest and assets -> target/base.apk and R.java
#   apk.sh package     classes, libraries and base.apk -> target/app-debug.apk, signed with a key made here
# Where a step fails, what it wrote to stderr is Maven's error.
set -euo pipefail
cd "$(dirname "$0")/.."
main=app/src/main out=target aar=target/aar

fail() {
  echo "$1" >&2
  exit 1
}

tools() {
  local pair programs=() packages=()
  case $JAVA_LEVEL in
    1.* | 9 | 1[0-6]) fail "Maven runs on Java $JAVA_LEVEL, but this build needs 17 or later: apt-get install openjdk-17-jdk-headless, and set JAVA_HOME to it" ;;
  esac
  [ -x "$JDK/bin/javac" ] ||
    fail "Maven runs on a Java without a compiler ($JDK): apt-get install openjdk-17-jdk-headless, and set JAVA_HOME to it"
  for pair in aapt2:aapt zipalign:zipalign apksigner:apksigner dexdump:dexdump zip:zip unzip:unzip; do
    command -v "${pair%:*}" > /dev/null || { programs+=("${pair%:*}") && packages+=("${pair#*:}"); }
  done
  [ "${#programs[@]}" = 0 ] ||
    fail "not on PATH: ${programs[*]}; on Debian or Ubuntu: apt-get install ${packages[*]}"
}

# Named with their versions and renamed when whole, so that neither another version nor half a folder is taken for it.
unpack_libraries() {
  local file
  for file in $aar/*.aar; do
    [ -d "${file%.aar}" ] && continue
    rm -rf "$file.part"
    unzip -qo "$file" -d "$file.part"
    mv "$file.part" "${file%.aar}"
  done
}

# Other letters do not come through zip, unzip and Java alike where the locale is C.
check_names() {
  local name
  name=$(cd $main/assets 2> /dev/null && find . | LC_ALL=C grep -m 1 '[^ -~]' || true)
  [ -z "$name" ] ||
    fail "assets/${name#./}: this build takes names of ASCII letters only; rename it (the title in model.json, \`export --title\`, may have any letters)"
}

resources() {
  local assets=()
  check_names
  rm -rf $out/surefire-reports # of tests that may be gone
  unpack_libraries
  mkdir -p $out/gen $out/robo-config/com/android/tools
  [ ! -d $main/assets ] || assets=(-A $main/assets)
  aapt2 compile --dir $main/res -o $out/res.zip
  aapt2 compile --dir app/src/debug/res -o $out/debug-res.zip
  rm -rf $out/gen.new
  # `-0 .tflite`, with the dot: a compressed asset cannot be mapped into memory. Debian's aapt2 is older than Android
  # 14's framework and warns of a chunk that it passes over.
  aapt2 link -o $out/base.apk -I "$ANDROID_JAR" --manifest $out/AndroidManifest.xml --java $out/gen.new \
    ${assets[@]+"${assets[@]}"} -0 .tflite --debug-mode --min-sdk-version "$MIN_SDK" \
    --target-sdk-version "$TARGET_SDK" --version-code "$VERSION_CODE" --version-name "$VERSION_NAME" \
    --auto-add-overlay -R $out/debug-res.zip $out/res.zip \
    2>&1 | sed '/Unknown chunk type/d' >&2
  # R.java stays as old as it is where nothing changed, for else every class is compiled anew.
  diff -qr $out/gen.new $out/gen > /dev/null || { rm -rf $out/gen && mv $out/gen.new $out/gen; }
  cat > $out/robo-config/com/android/tools/test_config.properties <<P
android_merged_assets=$PWD/$main/assets
android_merged_manifest=$PWD/$out/AndroidManifest.xml
android_resource_apk=$PWD/$out/base.apk
android_custom_package=$PACKAGE
P
}

dex() {
  rm -rf $out/dex
  mkdir -p $out/dex
  find $out/classes -name '*.class' > $out/classes.lst
  "$JDK/bin/java" -cp "$R8_JAR" com.android.tools.r8.D8 --release --min-api "$MIN_SDK" --lib "$JDK" \
    --lib "$ANDROID_JAR" --output $out/dex @$out/classes.lst \
    $aar/tensorflow-lite-"$TFLITE_VERSION"/classes.jar $aar/tensorflow-lite-api-"$TFLITE_VERSION"/classes.jar
}

stage_libraries() {
  local abi jni=$aar/tensorflow-lite-$TFLITE_VERSION/jni
  rm -rf $out/stage
  for abi in $ABIS; do
    [ -d "$jni/$abi" ] || fail "TensorFlow Lite $TFLITE_VERSION has no library for $abi, only for $(echo "$(ls "$jni")")"
    mkdir -p $out/stage/lib/"$abi"
    cp "$jni/$abi"/*.so $out/stage/lib/"$abi"/
  done
}

# Android Studio's key where there is one, so that an app of one build can replace the other's. Never kept in the
# repository: whoever has the key of an installed app can replace it.
key() {
  local studio=${HOME:-}/.android/debug.keystore
  if [ -f "$studio" ]; then
    echo "$studio"
    return
  fi
  [ -f debug.keystore ] || "$JDK/bin/keytool" -genkeypair -keystore debug.keystore -storepass android -keypass android \
    -alias androiddebugkey -dname "CN=Android Debug,O=Android,C=US" -keyalg RSA -keysize 2048 -validity 10000 \
    -storetype PKCS12 2> /dev/null
  echo debug.keystore
}

package() {
  rm -f $out/app-debug.apk
  stage_libraries
  dex
  cp $out/base.apk $out/unsigned.apk
  (cd $out/dex && zip -qX ../unsigned.apk classes*.dex)
  (cd $out/stage && zip -qX0r ../unsigned.apk lib)
  zipalign -f -p 4 $out/unsigned.apk $out/aligned.apk
  apksigner sign --ks "$(key)" --ks-pass pass:android --ks-key-alias androiddebugkey \
    --out $out/app-debug.apk $out/aligned.apk
}

"$1"
