#!/usr/bin/env bash
# Two steps of the Maven build, called from pom.xml, which sets the variables:
#   apk.sh resources   resources, manifest and assets -> target/base.apk and R.java
#   apk.sh package     classes, libraries and base.apk -> target/app-debug.apk, signed with a key made here
set -euo pipefail
cd "$(dirname "$0")/.."
main=app/src/main debug=app/src/debug out=target aar=target/aar

merged_manifest() {
  # Gradle keeps the package in build.gradle (namespace) and merges the debug manifest; aapt2 wants both done.
  sed -n '/<application/,/<\/application>/p' $debug/AndroidManifest.xml | sed '1d;$d' > $out/debug-components.xml
  sed -e "s#<manifest #<manifest package=\"$PACKAGE\" #" \
      -e 's#<application#<application android:extractNativeLibs="false"#' \
      -e "/<\/application>/{
r $out/debug-components.xml
N
}" $main/AndroidManifest.xml > $out/AndroidManifest.xml
}

resources() {
  for file in $aar/*.aar; do
    [ -d "${file%.aar}" ] || unzip -qo "$file" -d "${file%.aar}"
  done
  mkdir -p $out/gen $out/robo-config/com/android/tools $main/assets
  merged_manifest
  aapt2 compile --dir $main/res -o $out/res.zip
  # `-0 .tflite`, with the dot: a compressed asset cannot be mapped into memory.
  aapt2 link -o $out/base.apk -I "$ANDROID_JAR" --manifest $out/AndroidManifest.xml --java $out/gen -A $main/assets \
    -0 .tflite --debug-mode --min-sdk-version "$MIN_SDK" --target-sdk-version "$TARGET_SDK" \
    --version-code "$VERSION_CODE" --version-name "$VERSION_NAME" $out/res.zip
  cat > $out/robo-config/com/android/tools/test_config.properties <<P
android_merged_assets=$PWD/$main/assets
android_merged_manifest=$PWD/$out/AndroidManifest.xml
android_resource_apk=$PWD/$out/base.apk
android_custom_package=$PACKAGE
P
}

package() {
  local jdk
  jdk=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}
  rm -rf $out/dex $out/stage
  mkdir -p $out/dex $out/stage
  find $out/classes -name '*.class' > $out/classes.lst
  java -cp "$R8_JAR" com.android.tools.r8.D8 --release --min-api "$MIN_SDK" --lib "$jdk" --lib "$ANDROID_JAR" \
    --output $out/dex @$out/classes.lst $aar/tensorflow-lite/classes.jar $aar/tensorflow-lite-api/classes.jar
  cp $out/base.apk $out/unsigned.apk
  (cd $out/dex && zip -qX ../unsigned.apk classes*.dex)
  for abi in $ABIS; do
    mkdir -p $out/stage/lib/"$abi"
    cp $aar/tensorflow-lite/jni/"$abi"/*.so $out/stage/lib/"$abi"/
  done
  (cd $out/stage && zip -qX0r ../unsigned.apk lib)
  zipalign -f -p 4 $out/unsigned.apk $out/aligned.apk
  # Never kept in the repository: whoever has the key of an installed app can replace it.
  [ -f $out/debug.keystore ] || keytool -genkeypair -keystore $out/debug.keystore -storepass android -keypass android \
    -alias androiddebugkey -dname "CN=Android Debug,O=Android,C=US" -keyalg RSA -keysize 2048 -validity 10000 \
    -storetype PKCS12 2>/dev/null
  apksigner sign --ks $out/debug.keystore --ks-pass pass:android --ks-key-alias androiddebugkey \
    --out $out/app-debug.apk $out/aligned.apk
}

"$1"
