<?xml version="1.0" encoding="UTF-8"?>
<!-- Merges the debug build's manifest into the main one, as Gradle does. Gradle also keeps the package in build.gradle
     (namespace) and turns useLegacyPackaging into extractNativeLibs; aapt2 wants both in the manifest. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:android="http://schemas.android.com/apk/res/android">
  <xsl:param name="package" />
  <xsl:variable name="debug" select="document('../app/src/debug/AndroidManifest.xml')/manifest" />

  <xsl:template match="@* | node()">
    <xsl:copy><xsl:apply-templates select="@* | node()" /></xsl:copy>
  </xsl:template>

  <xsl:template match="/manifest">
    <xsl:copy>
      <xsl:attribute name="package"><xsl:value-of select="$package" /></xsl:attribute>
      <xsl:apply-templates select="@* | $debug/*[not(self::application)] | node()" />
    </xsl:copy>
  </xsl:template>

  <xsl:template match="/manifest/application">
    <xsl:copy>
      <xsl:attribute name="android:extractNativeLibs">false</xsl:attribute>
      <xsl:apply-templates select="@* | $debug/application/@* | node() | $debug/application/node()" />
    </xsl:copy>
  </xsl:template>
</xsl:stylesheet>
