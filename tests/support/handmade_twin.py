"""Hand-made spaces in NumPy, for tests: prints the vectors of the test signal as JSON, or compares graphs with them."""
import json

import numpy as np
def signal(n, sr):
    s=1; u=np.empty(n)
    for i in range(n):
        s=(s*48271)%2147483647; u[i]=s/2147483647
    t=np.arange(n)/sr
    x=0.3*np.sin(2*np.pi*440*t)*(1+0.8*np.sin(2*np.pi*4*t))+0.1*np.sin(2*np.pi*1319*t)+0.01*(u-0.5)
    return x.astype(np.float32)
def frames(x,size,hop,centred):
    if centred: x=np.pad(x,size//2)
    n=1+(len(x)-size)//hop
    return np.stack([x[i*hop:i*hop+size] for i in range(n)])
def power(x,size,hop,centred):
    w=(4/size)*(0.5-0.5*np.cos(2*np.pi*np.arange(size)/size))
    return np.abs(np.fft.rfft(frames(x.astype(np.float64),size,hop,centred)*w,axis=1))**2
def slaney(f):
    f=np.asarray(f,float); return np.where(f<1000,f*3/200,15+np.log(np.maximum(f,1e-9)/1000)/(np.log(6.4)/27))
def unslaney(m):
    m=np.asarray(m,float); return np.where(m<15,m*200/3,1000*np.exp(np.log(6.4)/27*(m-15)))
def bank(bands,size,sr,lo,hi):
    e=unslaney(np.linspace(slaney(lo),slaney(hi),bands+2)); f=np.arange(size//2+1)*sr/size
    W=np.zeros((bands,len(f)))
    for b in range(bands):
        l,c,r=e[b:b+3]; W[b]=np.maximum(0,np.minimum((f-l)/(c-l),(r-f)/(r-c)))
        if W[b].sum()==0: W[b,int(np.floor(c*size/sr+.5))]=1
        W[b]/=W[b].sum()
    return W
def summary(rows,heard):
    r=rows[heard] if heard.any() else rows
    return np.concatenate([r.mean(0),r.std(0)])
def logs(x):
    return np.log(np.sqrt(power(x,1024,480,True))@bank(128,1024,24000,20,12000).T+1e-4)
def log_mel(x):
    L=logs(x); return summary(L,(L>np.log(1e-4)+.05).any(1))
def mfcc(x):
    from scipy.fft import dct
    from scipy.signal import savgol_filter
    L=logs(x); C=dct(L,axis=1,norm='ortho')[:,:20]
    # regression of slope over 9 frames, ends repeated: librosa.feature.delta(mode='nearest')
    import librosa
    D=librosa.feature.delta(C.T,width=9,mode='nearest').T
    return summary(np.hstack([C,D]),(L>np.log(1e-4)+.05).any(1))
def chroma(x):
    import librosa
    P=power(x,4096,960,True)
    raw=P@librosa.filters.chroma(sr=24000,n_fft=4096,tuning=0.0).T
    c=raw/np.maximum(raw.max(1,keepdims=True),1e-8)
    return summary(c,(raw>1e-8).any(1))
def modulation(x):
    E=(np.sqrt(power(x,256,80,False))@bank(40,256,16000,60,7500).T).T
    m=E.mean(1,keepdims=True); S=(E-m)/(m+1e-5); out=np.empty((40,9))
    from scipy.signal import firwin
    for j,c in enumerate([.5,1,2,4,8,16,32,64]):
        R=min(400,int(np.floor(2*200/c+.5))); n=np.arange(-R,R+1)
        lo,hi=c/np.sqrt(2)/200,c*np.sqrt(2)/200
        h=(2*hi*np.sinc(2*hi*n)-2*lo*np.sinc(2*lo*n))*(.54+.46*np.cos(np.pi*n/(R+1)))
        h/=abs(np.sum(h*np.exp(-2j*np.pi*c*n/200)))
        for b in range(40):
            y=np.convolve(S[b],h,mode='full')[R:R+S.shape[1]]
            out[b,j]=np.log(np.sqrt(np.mean(y**2))+1e-3)
    l=np.log(m[:,0]+1e-5); out[:,8]=l-l.mean()
    return out.ravel()
def scattering(x):
    N=65536; X=np.fft.fft(x.astype(np.float64)); f=np.fft.fftfreq(N)
    fpos=np.where(f<-.25,f+1,f)   # wavelets reach past the Nyquist frequency
    def morlet(c,Q,grid):
        r=2**(-1/Q); s=c*(1-r)/(1+r)/np.sqrt(np.log(2))
        g=lambda u:np.exp(-.5*(u/s)**2)
        return g(grid-c)-g(c)/g(0)*g(grid)
    first=[];second=[]
    hi=1/(1+2**(3/8))
    for o in range(8):
        L=16384>>o; step=N//L; U=[]
        for i in range(8):
            c=hi*2**(-o-i/8); k0=int(np.floor(c*N+.5))-L//2
            keep=np.zeros(N,bool); keep[(np.arange(L)+k0)%N]=True
            U.append(np.abs(np.fft.ifft(np.where(keep,X*morlet(c,8,fpos),0)))[::step])
        U=np.array(U); m=U.mean(1); first.append(np.log(m+1e-5))
        V=np.fft.fft(U,axis=1); fr=np.fft.fftfreq(L,step)
        for j in range(13):
            c=.35*2.**-j
            if c>hi*2.**-o/4: continue
            l=min(L,N>>j); k0=int(np.floor(c*N+.5))-l//2
            keep=np.zeros(L,bool); keep[(np.arange(l)+k0)%L]=True
            # frequencies of the slice, unwrapped around the centre
            k=np.arange(L); kk=np.where((k-k0)%L<l,(k-k0)%L+k0,0)/N
            y=np.abs(np.fft.ifft(np.where(keep,V*morlet(c,1,kk),0),axis=1))[:,::L//l]
            second.append(np.log(y.mean(1)/(m+1e-5)+1e-3))
    return np.concatenate(first+second)
if __name__ == '__main__':
    spaces = {'log-mel': (24000, 96000, log_mel), 'mfcc': (24000, 96000, mfcc), 'chroma': (24000, 96000, chroma),
              'modulation': (16000, 64000, modulation), 'scattering': (16000, 65536, scattering)}
    print(json.dumps({name: [round(float(v), 5) for v in of(signal(n, rate))] for name, (rate, n, of) in spaces.items()}))
