/**
 * File names of kernel modules that Windows itself brings, from the documentation of its drivers and
 * services and from the module lists of public dumps. The last resort in telling whose a module is:
 * a name proves nothing.
 */
const NAMES = `
ntoskrnl ntkrnlpa ntkrnlmp ntkrpamp hal halacpi halaacpi halmacpi halapic halmps kdcom kd1394 kdusb kdnet kdstub
bootvid ci clfs cng ksecdd ksecpkg msrpc netio ndis tcpip tdi tdx fwpkclnt wfplwfs afd ntfs fastfat exfat refs refsv1
udfs cdfs npfs msfs mup rdbss mrxsmb mrxsmb10 mrxsmb20 mrxdav dfs dfsc srv srv2 srvnet fltmgr fileinfo filecrypt
fileTrace wof wcifs bindflt cldflt luafv bam condrv dxgkrnl dxgmms1 dxgmms2 dxapi dxg watchdog videoprt win32k
win32kbase win32kfull cdd basicdisplay basicrender monitor vga vgapnp framebuf tsddd ks portcls drmk drmkaud ksthunk
hdaudbus hdaudio usbaudio usbaudio2 wdmaud sysaudio swmidi splitter kmixer wdf01000 wdfldr acpi acpiex acpipagr
acpitime acpipmi wmilib wmiacpi pci pciidex pcmcia isapnp msisadrv mssmbios intelppm processr amdk8 amdppm
partmgr volmgr volmgrx volume volsnap ftdisk dmio dmload dmboot mountmgr disk classpnp cdrom storport scsiport
storahci stornvme spaceport storqosflt vhdmp atapi ataport intelide msahci iorate rdyboost ehstorclass fvevol
dumpfve dump_diskdump dump_dumpfve dump_storport dump_storahci dump_stornvme crashdmp diskdump dumpata swenum
mcd null beep kbdclass kbdhid mouclass mouhid hidclass hidparse hidusb hidi2c hidinterrupt i8042prt sermouse serenum
serial parport parvdm flpydisk fdc usbport usbd usbhub usbhub3 usbehci usbohci usbuhci usbxhci ucx01000 usbccgp usbprint
usbscan usbstor usbser uaspstor umbus umpass winusb wudfrd wudfpf wpdupfltr vwifibus vwififlt vwifimp nativewifip nwifi
ndisuio ndiswan ndistapi ndproxy ndiscap ndisimplatform ndisvirtualbus netbios netbt nsiproxy pacer psched rasacd raspptp
rasl2tp raspppoe rassstp agilevpn asyncmac wanarp tunnel lltdio rspndr mslldp msmmsp bowser browser http ipsec ipnat
ipfltdrv lanmandrv tdtcp tdpipe termdd rdpdr rdpwd rdpvideominiport rdpbus terminpt tssecsrv vmbus vmbkmcl vmbusr
vmstorfl storvsc netvsc hyperkbd hypervideo vmgencounter winhv winhvr vid hvservice hvsocket pcip vpci vpcivsp
peauth secdrv spldr registry crypt32 dfsrro quota sr srvkp update rdpcdd redbook imapi audstub ptilink raspti
msgpc p3 crusoe fips fs_rec mnmdd ipfilterdriver gagp30kx agp440 compbatt battc cmbatt wanarpv6 tpm tbs
monitor npsvctrig gpuenergydrv mmcss mpsdrv scfilter scsifilt spacedump sdbus sdstor sgrmagent securekernel
skci vdrvroot werkernel wfplwf wimmount windowstrustedrt windowstrustedrtproxy intelpep pdc cea cnghwassist ahcache
appid applockerfltr beep bthenum bthport bthusb bthpan rfcomm hidbth bthmodem bthavctpsvc microsoft.bluetooth.legacy.leenumerator
buttonconverter capimg circlass cmimcext compositebus console dam errdev fdc filetrace gpioclx0101 spbcx sercx sercx2 hidspicx
hwpolicy iccx invdimm irenum kdnic kernelstreaming lpasvc mausbhost mausbip mbbcx mshidkmdf mshidumdf mskssrv mspclock mspqm
mstee mtconfig ndfltr netadaptercx nvdimm ntosext onecorecore p9rdr passthruparser pcw pefndis pmem pnpmem portcfg pvhdparser
qwavedrv ramdisk rhproxy scmbus sleepstudyhelper smbdirect storufs synth3dvsc tcpipreg tsusbflt tsusbgd tsusbhub ucmcx ucmtcpcicx0101 ucmucsicx
udecx ufx01000 umdf urscx01000 usb8023 usbcir verifierext vhf videoport wdcsam wdboot wdfilter wdnisdrv mpksl mpfilter wdiwifi
wmbclass wmiacpi wpcfltr ws2ifsl xboxgip xinputhid smb storflt dfsrdrv dump_iscsi msiscsi iscsiprt mpio msdsm multipath
cluscore clusdisk clusbflt csvflt csvfs csvnsflt clusport netft resumekeyfilter dedup rdma srvproxy nfsrdr portmap rpcxdr
`;

const FILES: ReadonlySet<string> = new Set(NAMES.toLowerCase().split(/\s+/).filter(Boolean));

/** Whether Windows brings a kernel module of that file name. */
export function isWindowsFileName(fileName: string): boolean {
  return FILES.has(fileName.toLowerCase().replace(/\.(?:sys|exe|dll)$/, ""));
}
