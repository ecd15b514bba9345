"""One XTCE document that uses every part that is supported, made for these tests."""

from __future__ import annotations

from tests.unit.telemetry.dictionary import bits

TYPES = """
<StringParameterType name="text" shortDescription="a text">
 <LongDescription>A text of four octets.</LongDescription>
 <AliasSet><Alias nameSpace="hw" alias="T1"/></AliasSet>
 <AncillaryDataSet><AncillaryData name="origin" mimeType="text/plain">lab</AncillaryData>
 </AncillaryDataSet>
 <UnitSet/>
 <StringDataEncoding encoding="ISO-8859-1"><SizeInBits><Fixed><FixedValue>32</FixedValue></Fixed>
  <TerminationChar>00</TerminationChar></SizeInBits></StringDataEncoding>
</StringParameterType>
<StringParameterType name="pascal"><StringDataEncoding>
 <Variable maxSizeInBits="2048"><DynamicValue><ParameterInstanceRef parameterRef="LENGTH"
  useCalibratedValue="false"/><LinearAdjustment slope="8" intercept="0"/></DynamicValue>
 <LeadingSize sizeInBitsOfSizeTag="8"/></Variable></StringDataEncoding></StringParameterType>
<StringParameterType name="looked_up"><StringDataEncoding>
 <Variable maxSizeInBits="64"><DiscreteLookupList>
  <DiscreteLookup value="16"><Comparison parameterRef="MODE" value="SAFE"/></DiscreteLookup>
  <DiscreteLookup value="32"><ComparisonList><Comparison parameterRef="MODE" value="SAFE"
   comparisonOperator="!="/></ComparisonList></DiscreteLookup>
 </DiscreteLookupList></Variable></StringDataEncoding></StringParameterType>
<EnumeratedParameterType name="mode"><UnitSet/><IntegerDataEncoding sizeInBits="8"/>
 <EnumerationList><Enumeration value="0" label="SAFE" shortDescription="safe mode"/>
 <Enumeration value="1" maxValue="3" label="NOMINAL"/></EnumerationList>
 <DefaultAlarm defaultAlarmLevel="watch" minViolations="2"><EnumerationAlarmList>
  <EnumerationAlarm alarmLevel="critical" enumerationLabel="SAFE"/></EnumerationAlarmList>
 </DefaultAlarm>
 <ContextAlarmList><ContextAlarm><EnumerationAlarmList>
  <EnumerationAlarm alarmLevel="normal" enumerationLabel="SAFE"/></EnumerationAlarmList>
  <ContextMatch><Comparison parameterRef="LENGTH" value="0"/></ContextMatch></ContextAlarm>
 </ContextAlarmList>
</EnumeratedParameterType>
<IntegerParameterType name="u8" signed="false" sizeInBits="8"><UnitSet><Unit power="2"
 description="square">m</Unit><Unit form="raw">count</Unit></UnitSet>
 <IntegerDataEncoding sizeInBits="8" encoding="unsigned" changeThreshold="2"/>
 <ToString><NumberFormat numberBase="Hexadecimal" minimumIntegerDigits="2"/></ToString>
</IntegerParameterType>
<IntegerParameterType name="i16le"><IntegerDataEncoding sizeInBits="16" encoding="twosComplement"
 byteOrder="leastSignificantByteFirst" bitOrder="mostSignificantBitFirst"/></IntegerParameterType>
<IntegerParameterType name="i32x"><IntegerDataEncoding sizeInBits="32" encoding="onesComplement"
 byteOrder="1,0,3,2"/></IntegerParameterType>
<IntegerParameterType name="sm12"><IntegerDataEncoding sizeInBits="12" encoding="signMagnitude"/>
</IntegerParameterType>
<BinaryParameterType name="blob"><BinaryDataEncoding><SizeInBits><FixedValue>24</FixedValue>
 </SizeInBits></BinaryDataEncoding></BinaryParameterType>
<BinaryParameterType name="rest"><BinaryDataEncoding><SizeInBits><DynamicValue>
 <ParameterInstanceRef parameterRef="LENGTH" instance="0"/><LinearAdjustment slope="8"/>
 </DynamicValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>
<FloatParameterType name="f32" sizeInBits="32"><FloatDataEncoding sizeInBits="32"
 encoding="IEEE754_1985" changeThreshold="0.5"/></FloatParameterType>
<FloatParameterType name="f16"><FloatDataEncoding sizeInBits="16" encoding="IEEE754"/>
</FloatParameterType>
<FloatParameterType name="mil"><FloatDataEncoding sizeInBits="48" encoding="MILSTD_1750A"/>
</FloatParameterType>
<FloatParameterType name="volt"><UnitSet><Unit>V</Unit></UnitSet>
 <IntegerDataEncoding sizeInBits="16">
  <DefaultCalibrator name="cal" shortDescription="d"><PolynomialCalibrator>
   <Term coefficient="-1.5" exponent="0"/><Term coefficient="0.25" exponent="1"/>
  </PolynomialCalibrator></DefaultCalibrator>
  <ContextCalibratorList>
   <ContextCalibrator><ContextMatch><Comparison parameterRef="MODE" value="SAFE"/></ContextMatch>
    <Calibrator><SplineCalibrator order="1" extrapolate="true">
     <SplinePoint raw="0" calibrated="0"/><SplinePoint raw="10" calibrated="5" order="0"/>
     <SplinePoint raw="20" calibrated="7"/></SplineCalibrator></Calibrator></ContextCalibrator>
   <ContextCalibrator><ContextMatch><BooleanExpression><ANDedConditions>
     <Condition><ParameterInstanceRef parameterRef="LENGTH"/>
      <ComparisonOperator>&gt;</ComparisonOperator><Value>3</Value></Condition>
     <ORedConditions>
      <Condition><ParameterInstanceRef parameterRef="LENGTH"/>
       <ComparisonOperator>!=</ComparisonOperator>
       <ParameterInstanceRef parameterRef="FLAGS" useCalibratedValue="false"/></Condition>
      <Condition><ParameterInstanceRef parameterRef="LENGTH"/>
       <ComparisonOperator>==</ComparisonOperator><Value>9</Value></Condition>
     </ORedConditions></ANDedConditions></BooleanExpression></ContextMatch>
    <Calibrator><MathOperationCalibrator><ThisParameterOperand/><ValueOperand>2</ValueOperand>
     <Operator>*</Operator><ParameterInstanceRefOperand parameterRef="LENGTH"/>
     <Operator>+</Operator></MathOperationCalibrator></Calibrator></ContextCalibrator>
  </ContextCalibratorList></IntegerDataEncoding>
 <DefaultAlarm name="limits" minViolations="3" minConformance="2">
  <AncillaryDataSet><AncillaryData name="hysteresis">0.5</AncillaryData></AncillaryDataSet>
  <AlarmConditions><WatchAlarm><Comparison parameterRef="MODE" value="SAFE"/></WatchAlarm>
  </AlarmConditions>
  <StaticAlarmRanges rangeForm="outside"><WatchRange minInclusive="1"/>
   <CriticalRange minExclusive="0" maxInclusive="1E3"/></StaticAlarmRanges>
  <ChangeAlarmRanges changeType="changePerSecond" changeBasis="absoluteChange"
   spanOfInterestInSamples="2" spanOfInterestInSeconds="1.5"><WarningRange maxInclusive="4"/>
  </ChangeAlarmRanges>
  <AlarmMultiRanges><Range level="severe" rangeForm="inside" minInclusive="50"
   maxInclusive="60"/></AlarmMultiRanges>
 </DefaultAlarm>
 <ContextAlarmList><ContextAlarm minViolations="1"><StaticAlarmRanges><WarningRange
  maxInclusive="9"/></StaticAlarmRanges><ContextMatch><Comparison parameterRef="MODE"
  value="SAFE"/></ContextMatch></ContextAlarm></ContextAlarmList>
</FloatParameterType>
<BooleanParameterType name="flag" oneStringValue="ON" zeroStringValue="OFF">
 <IntegerDataEncoding sizeInBits="4"/>
 <DefaultAlarm><AlarmConditions><CriticalAlarm><Comparison parameterRef="FLAGS" value="ON"/>
 </CriticalAlarm></AlarmConditions></DefaultAlarm></BooleanParameterType>
<RelativeTimeParameterType name="span"><Encoding units="picoSeconds" scale="2" offset="1">
 <IntegerDataEncoding sizeInBits="16"/></Encoding></RelativeTimeParameterType>
<AbsoluteTimeParameterType name="clock"><Encoding units="seconds"><IntegerDataEncoding
 sizeInBits="32"/></Encoding><ReferenceTime><Epoch>TAI</Epoch></ReferenceTime>
</AbsoluteTimeParameterType>
<AbsoluteTimeParameterType name="later"><Encoding units="seconds" scale="0.5"><IntegerDataEncoding
 sizeInBits="16"/></Encoding><ReferenceTime><OffsetFrom parameterRef="CLOCK"/></ReferenceTime>
</AbsoluteTimeParameterType>
<ArrayParameterType name="samples" arrayTypeRef="i16le"><DimensionList>
 <Dimension><StartingIndex><FixedValue>0</FixedValue></StartingIndex><EndingIndex>
  <FixedValue>1</FixedValue></EndingIndex></Dimension>
 <Dimension><StartingIndex><FixedValue>0</FixedValue></StartingIndex><EndingIndex>
  <FixedValue>2</FixedValue></EndingIndex></Dimension></DimensionList></ArrayParameterType>
<ArrayParameterType name="many" arrayTypeRef="u8"><DimensionList><Dimension><StartingIndex>
 <FixedValue>0</FixedValue></StartingIndex><EndingIndex><DynamicValue><ParameterInstanceRef
 parameterRef="LENGTH"/><LinearAdjustment slope="1" intercept="-1"/></DynamicValue></EndingIndex>
 </Dimension></DimensionList></ArrayParameterType>
<AggregateParameterType name="pair"><MemberList><Member name="x" typeRef="u8"
 shortDescription="left"/><Member name="y" typeRef="samples"/></MemberList>
</AggregateParameterType>
<FloatParameterType name="power_t"><UnitSet><Unit factor="1000">W</Unit></UnitSet>
</FloatParameterType>
"""

PARAMETERS = (
    '<Parameter name="KIND" parameterTypeRef="u8"><LongDescription>What it is.</LongDescription>'
    '<AliasSet><Alias nameSpace="hw" alias="K"/></AliasSet><ParameterProperties'
    ' dataSource="telemetered" readOnly="true"><SystemName>bus</SystemName><PhysicalAddressSet>'
    '<PhysicalAddress sourceName="adc" sourceAddress="3"><SubAddress sourceName="mux"/>'
    "</PhysicalAddress></PhysicalAddressSet></ParameterProperties></Parameter>"
    + "".join(
        bits.parameter(name, kind)
        for name, kind in {
            "LENGTH": "u8",
            "MODE": "mode",
            "TEXT": "text",
            "PASCAL": "pascal",
            "LOOKED_UP": "looked_up",
            "I16": "i16le",
            "I32": "i32x",
            "SM12": "sm12",
            "FLAGS": "flag",
            "BLOB": "blob",
            "REST": "rest",
            "F32": "f32",
            "F16": "f16",
            "MIL": "mil",
            "VOLT": "volt",
            "SPAN": "span",
            "CLOCK": "clock",
            "LATER": "later",
            "SAMPLES": "samples",
            "MANY": "many",
            "PAIR": "pair",
            "EXTRA": "u8",
        }.items()
    )
    + '<Parameter name="POWER" parameterTypeRef="power_t"><ParameterProperties'
    ' dataSource="derived"/></Parameter>' + bits.parameter("RATIO", "power_t")
)

CONTAINERS = """
<SequenceContainer name="Head" abstract="true"><LongDescription>Every packet.</LongDescription>
 <DefaultRateInStream basis="perSecond" minimumValue="0.5" maximumValue="2"/>
 <EntryList><ParameterRefEntry parameterRef="KIND" shortDescription="first"/>
 <ParameterRefEntry parameterRef="LENGTH"><LocationInContainerInBits
  referenceLocation="containerStart"><FixedValue>8</FixedValue></LocationInContainerInBits>
 </ParameterRefEntry><ParameterRefEntry parameterRef="MODE"/></EntryList></SequenceContainer>
<SequenceContainer name="Fixed"><EntryList><ParameterRefEntry parameterRef="TEXT"/>
 <ParameterRefEntry parameterRef="I16"/><ParameterRefEntry parameterRef="I32"/>
 <ParameterRefEntry parameterRef="SM12"/><ParameterRefEntry parameterRef="FLAGS"/>
 <ParameterRefEntry parameterRef="BLOB"/><ParameterRefEntry parameterRef="F32"/>
 <ParameterRefEntry parameterRef="F16"/><ParameterRefEntry parameterRef="MIL"/>
 <ParameterRefEntry parameterRef="VOLT"/><ParameterRefEntry parameterRef="SPAN"/>
 <ParameterRefEntry parameterRef="CLOCK"/><ParameterRefEntry parameterRef="LATER"/>
 <ArrayParameterRefEntry parameterRef="SAMPLES"><DimensionList>
  <Dimension><StartingIndex><FixedValue>0</FixedValue></StartingIndex><EndingIndex><FixedValue>0
  </FixedValue></EndingIndex></Dimension><Dimension><StartingIndex><FixedValue>1</FixedValue>
  </StartingIndex><EndingIndex><FixedValue>2</FixedValue></EndingIndex></Dimension>
 </DimensionList></ArrayParameterRefEntry>
 <ContainerRefEntry containerRef="Part"/></EntryList>
 <BaseContainer containerRef="Head"><RestrictionCriteria><ComparisonList><Comparison
  parameterRef="KIND" value="1"/><Comparison parameterRef="LENGTH" value="200"
  comparisonOperator="&lt;"/></ComparisonList></RestrictionCriteria></BaseContainer>
</SequenceContainer>
<SequenceContainer name="Part"><EntryList><ParameterRefEntry parameterRef="PAIR"/></EntryList>
</SequenceContainer>
<SequenceContainer name="Varying"><EntryList><ParameterRefEntry parameterRef="MANY"/>
 <ParameterRefEntry parameterRef="PASCAL"/><ParameterRefEntry parameterRef="LOOKED_UP"/>
 <ParameterRefEntry parameterRef="REST"/>
 <ParameterRefEntry parameterRef="EXTRA"><LocationInContainerInBits><FixedValue>4</FixedValue>
  </LocationInContainerInBits><RepeatEntry><Count><DynamicValue><ParameterInstanceRef
  parameterRef="LENGTH"/></DynamicValue></Count><Offset><FixedValue>4</FixedValue></Offset>
  </RepeatEntry><IncludeCondition><Comparison parameterRef="MODE" value="NOMINAL"/>
  </IncludeCondition></ParameterRefEntry></EntryList>
 <BaseContainer containerRef="Head"><RestrictionCriteria><BooleanExpression><Condition>
  <ParameterInstanceRef parameterRef="KIND"/><ComparisonOperator>==</ComparisonOperator>
  <Value>2</Value></Condition></BooleanExpression></RestrictionCriteria></BaseContainer>
</SequenceContainer>
"""

ALGORITHMS = """
<MathAlgorithm name="power"><LongDescription>From voltage.</LongDescription>
 <MathOperation outputParameterRef="POWER"><ParameterInstanceRefOperand parameterRef="VOLT"/>
 <ValueOperand>2.5</ValueOperand><Operator>*</Operator><TriggerSet name="t" triggerRate="1">
 <OnParameterUpdateTrigger parameterRef="VOLT"/></TriggerSet></MathOperation></MathAlgorithm>
<CustomAlgorithm name="ratio"><AlgorithmText language="expression">if(V > k, F / V, 0)
</AlgorithmText><InputSet><InputParameterInstanceRef parameterRef="VOLT" inputName="V"/>
 <InputParameterInstanceRef parameterRef="F32" inputName="F"/><Constant constantName="k"
 value="0"/></InputSet><OutputSet><OutputParameterRef parameterRef="RATIO" outputName="r"/>
 </OutputSet><TriggerSet><OnContainerUpdateTrigger containerRef="Fixed"/></TriggerSet>
</CustomAlgorithm>
"""

HEADER = (
    '<Header version="1" date="2026-01-01" validationStatus="Draft"><AuthorSet><Author>A'
    "</Author></AuthorSet><NoteSet><Note>n</Note></NoteSet><HistorySet><History>h</History>"
    "</HistorySet></Header>"
)

DOCUMENT = bits.document(
    types=TYPES, parameters=PARAMETERS, containers=CONTAINERS, algorithms=ALGORITHMS
).replace(b"<TelemetryMetaData>", HEADER.encode() + b"<TelemetryMetaData>", 1)
